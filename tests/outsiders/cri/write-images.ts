import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type TarEntry, writeTar } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';

// The images that the CRI validation asks the registries of its own for, made of Debian's busybox and nginx. Names are
// upstream's: the runtime is told to ask one registry on loopback for all of them, as a node without an internet is.

const STAGING = 'gcr.io/k8s-staging-cri-tools';
const E2E = 'registry.k8s.io/e2e-test-images';
const LOADER = '/usr/lib64/ld-linux-x86-64.so.2';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'www-data:x:33:33:www-data:/var/www:/bin/false',
  'default-user:x:1000:1000::/tmp:/bin/sh',
  'nobody:x:65534:65534:nobody:/tmp:/bin/false',
];
const GROUP = [
  'root:x:0:',
  'www-data:x:33:',
  'default-user:x:1000:',
  'group-defined-in-image:x:50000:default-user',
  'nogroup:x:65534:',
];
const FOLDERS = [
  'bin',
  'dev',
  'etc',
  'lib64',
  'proc',
  'root',
  'run',
  'sys',
  'usr',
  'usr/lib',
  'var',
  'var/www',
];

/** What is in an image besides busybox, and how its process starts. */
interface ImageSpec {
  readonly names: readonly string[];
  readonly layers: readonly Uint8Array[];
  readonly config?: object;
}

/** Where each image name leads, and the folder of blobs by digest: what serve-images.ts serves. */
export interface ImageIndex {
  /** Digests of manifests, by full names: "registry.k8s.io/pause:3.9". */
  readonly names: Readonly<Record<string, string>>;
}

/** writeImages makes them into `folder`: index.json and blobs/. @param toolbox of os/outsiders.yaml */
export async function writeImages(toolbox: Toolbox, folder: string): Promise<void> {
  const base = await baseLayer(toolbox);
  const web = (port: number) => webLayer(toolbox, port);
  const serve = { Entrypoint: ['/usr/sbin/nginx', '-g', 'daemon off;'] };
  /** An image of its own, because of its label. */
  const shell = (names: readonly string[], config: object = {}): ImageSpec => ({
    names: names.map((name) => `${STAGING}/${name}`),
    layers: [base],
    config: { Cmd: ['sh'], Labels: { name: names[0] }, ...config },
  });
  const specs: ImageSpec[] = [
    { names: [`${E2E}/busybox:1.29-2`], layers: [base], config: { Cmd: ['sh'] } },
    { names: [`${E2E}/nginx:1.14-2`], layers: [base, await web(80)], config: serve },
    { names: [`${STAGING}/hostnet-nginx-amd64:latest`], layers: [base, await web(12003)], config: serve },
    {
      names: [`${E2E}/httpd:2.4.39-4`],
      layers: [base],
      config: {
        Entrypoint: ['sh', '-c', 'echo index > /var/www/index.html; echo httpd; exec httpd -f -h /var/www'],
      },
    },
    {
      names: [`${E2E}/nonewprivs:1.3`],
      layers: [base, await setuidLayer(toolbox)],
      config: { Entrypoint: ['sh', '-c', 'echo "Effective uid: $(/setuid/id -u)"'] },
    },
    {
      names: ['registry.k8s.io/pause:3.9', 'k8s.gcr.io/pause:3.9'],
      layers: [base],
      config: { Entrypoint: ['sleep', '1000000'] },
    },
    shell(['test-image-latest:latest']),
    shell(['test-image-tag:test']),
    shell(['test-image-tag:all']),
    ...[1, 2, 3].map((number) => shell([`test-image-${number}:latest`])),
    shell([1, 2, 3].map((tag) => `test-image-tags:${tag}`)),
    shell(['test-image-user-uid:latest'], { User: '1002' }),
    shell(['test-image-user-username:latest'], { User: 'www-data' }),
    shell(['test-image-user-uid-group:latest'], { User: '1003:users' }),
    shell(['test-image-user-username-group:latest'], { User: 'www-data:www-data' }),
    shell(['test-image-predefined-group:latest'], { User: '1000' }),
  ];
  await mkdir(join(folder, 'blobs'), { recursive: true });
  const names: Record<string, string> = {};
  for (const spec of specs) {
    const digest = await writeImage(spec, folder);
    for (const name of spec.names) names[name] = digest;
  }
  await writeFile(join(folder, 'index.json'), JSON.stringify({ names } satisfies ImageIndex));
}

async function writeImage({ layers, config = {} }: ImageSpec, folder: string): Promise<string> {
  const put = async (mediaType: string, data: Uint8Array) => {
    const digest = digestOf(data);
    await writeFile(join(folder, 'blobs', digest), data);
    return { mediaType, digest, size: data.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const rootfs = { type: 'layers', diff_ids: layers.map(digestOf) };
  const env = ['PATH=/bin:/usr/sbin:/usr/bin'];
  const about = { architecture: 'amd64', os: 'linux', config: { Env: env, ...config }, rootfs };
  const manifest = {
    ...{ schemaVersion: 2, mediaType: MANIFEST },
    config: await put(CONFIG, json(about)),
    layers: await Promise.all(layers.map((layer) => put(LAYER, gzipSync(layer)))),
  };
  return (await put(MANIFEST, json(manifest))).digest;
}

/** busybox under the name of each of its tools, and the users that images name. */
async function baseLayer(toolbox: Toolbox): Promise<Uint8Array> {
  const { stdout } = await toolbox.run('/usr/bin/busybox', ['--list']);
  const tools = stdout
    .toString()
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox');
  return writeTar(
    [
      ...FOLDERS.map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      { kind: 'directory', path: 'usr/bin', mode: 0o755 },
      await fileOf(toolbox, '/usr/bin/busybox', 'bin/busybox'),
      // Debian's busybox lacks these two.
      ...(await withLibraries(toolbox, '/usr/bin/ipcs', 'usr/bin/ipcs')),
      { ...text('usr/bin/pgrep', ['#!/bin/sh', 'exec pidof "$@"']), mode: 0o755 },
      ...tools
        .filter((name) => name !== 'ls')
        .map((name) => ({ kind: 'symlink', path: `bin/${name}`, target: 'busybox' }) as const),
      // A file of its own: a test hides it, and with a link would hide all of them.
      await fileOf(toolbox, '/usr/bin/busybox', 'bin/ls'),
      text('etc/passwd', PASSWD),
      text('etc/group', GROUP),
    ],
    { mtimeSeconds: 0 },
  );
}

/** nginx with its page, on one port. */
async function webLayer(toolbox: Toolbox, port: number): Promise<Uint8Array> {
  const folders = [
    'etc/nginx',
    'usr/sbin',
    'var/lib',
    'var/lib/nginx',
    'var/log',
    'var/log/nginx',
    'var/run',
  ];
  return writeTar(
    [
      ...folders.map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
      ...(await withLibraries(toolbox, '/usr/sbin/nginx', 'usr/sbin/nginx')),
      text('var/www/index.html', ['It serves.']),
      text('etc/nginx/nginx.conf', [
        'user www-data;',
        'worker_processes 1;',
        'pid /var/run/nginx.pid;',
        'error_log /dev/stderr;',
        'events {}',
        `http { access_log off; server { listen ${port}; root /var/www; } }`,
      ]),
    ],
    { mtimeSeconds: 0 },
  );
}

/** A program that tells its effective user, owned by root and with the set-user-id bit. */
async function setuidLayer(toolbox: Toolbox): Promise<Uint8Array> {
  const folder = { kind: 'directory', path: 'setuid', mode: 0o755 } as const;
  const files = await withLibraries(toolbox, '/usr/bin/id', 'setuid/id');
  const entries = files.map((entry) =>
    entry.kind === 'file' && entry.path === 'setuid/id' ? { ...entry, mode: 0o4755 } : entry,
  );
  return writeTar([folder, ...entries], { mtimeSeconds: 0 });
}

/** A program of the toolbox and the libraries that its loader finds for it. */
async function withLibraries(toolbox: Toolbox, program: string, path: string): Promise<TarEntry[]> {
  const { stdout } = await toolbox.run(LOADER, ['--list', program]);
  const libraries = [...stdout.toString().matchAll(/=> (\/\S+) \(0x/g)].map(([, library = '']) => library);
  return [
    await fileOf(toolbox, program, path),
    await fileOf(toolbox, LOADER, 'lib64/ld-linux-x86-64.so.2'),
    ...(await Promise.all(
      libraries
        .filter((library) => !library.includes('ld-linux'))
        .map((library) => fileOf(toolbox, library, `usr/lib/${basename(library)}`)),
    )),
  ];
}

async function fileOf({ root }: Toolbox, source: string, path: string): Promise<TarEntry> {
  const inside = source.replace(/^\/(lib|lib64|bin|sbin)\//, '/usr/$1/');
  return { kind: 'file', path, mode: 0o755, data: await readFile(await realpath(join(root, inside))) };
}

function text(path: string, lines: readonly string[]) {
  return { kind: 'file', path, mode: 0o644, data: Buffer.from(`${lines.join('\n')}\n`) } as const;
}

function digestOf(data: Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
