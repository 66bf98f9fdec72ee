import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findMirrors, type Mirrors } from '@plinth/debian';
import { exists, hashText, writeFileAtomic } from '@plinth/host';
import type { Bind, Toolbox } from '@plinth/toolbox';
import type { Stage } from './build-plinth.ts';
import { interrupted } from './interrupted.ts';

/** An image for mkosi to build: its configuration files by name, and what of this computer it may read. */
export interface MkosiImage {
  readonly name: string;
  /** mkosi.conf, mkosi.repart/…, scripts: paths below the configuration folder, with their text. */
  readonly files: Readonly<Record<string, string>>;
  readonly binds: readonly Bind[];
}

export interface MkosiBuild {
  readonly wallMs: number;
  readonly stages: readonly Stage[];
}

/** Where mkosi sees the folder of its image. mkosi itself uses /work. */
const INSIDE = '/bench';
/** Holds the digest of the description that was built last. */
const BUILT = 'built';

/** What every image shares: the suites of Plinth, no network, nothing kept between builds but downloaded packages. */
function commonConfig(name: string): string {
  return [
    '[Distribution]',
    'Distribution=debian',
    'Release=trixie',
    'Architecture=x86-64',
    '[Output]',
    'Format=disk',
    // OVMF cannot read a FAT with 4096-byte sectors, the default of systemd-repart.
    'SectorSize=512',
    `Output=${name}`,
    `OutputDirectory=${INSIDE}/out`,
    `ImageId=${name}`,
    '[Build]',
    `WorkspaceDirectory=${INSIDE}/workspace`,
    `PackageCacheDirectory=${INSIDE}/packages`,
    `CacheDirectory=${INSIDE}/cache`,
    `SandboxTrees=${INSIDE}/sandbox`,
    'Incremental=no',
    'WithNetwork=no',
    '',
  ].join('\n');
}

/**
 * mkosiDisk gives the disk of an image, built by Debian's mkosi in the toolbox of the bench with the network, which
 * also fills mkosi's package cache. The same description is built once.
 * @param folder keeps configuration, package cache and disk
 */
export async function mkosiDisk(tools: Toolbox, image: MkosiImage, folder: string): Promise<string> {
  const files = { ...image.files, 'mkosi.conf.d/common.conf': commonConfig(image.name) };
  const built = join(folder, BUILT);
  const digest = hashText(JSON.stringify(files));
  if (!(await exists(built)) || (await readFile(built, 'utf8')) !== digest) {
    await writeConfig(folder, files);
    await runMkosi(tools, image, folder, 'online');
    await writeFileAtomic(built, digest);
  }
  return join(folder, 'out', `${image.name}.raw`);
}

/** timeMkosi builds the disk again without the network and with the package cache filled, and tells how long it took. */
export async function timeMkosi(tools: Toolbox, image: MkosiImage, folder: string): Promise<MkosiBuild> {
  await mkosiDisk(tools, image, folder);
  const startedMs = performance.now();
  const stages = await runMkosi(tools, image, folder, 'offline');
  return { wallMs: performance.now() - startedMs, stages };
}

async function writeConfig(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await rm(join(folder, 'config'), { recursive: true, force: true });
  for (const name of ['out', 'workspace', 'packages', 'cache']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    const target = join(folder, 'config', path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { mode: path.includes('.postinst') ? 0o755 : 0o644 });
  }
  const sources = join(folder, 'sandbox/etc/apt/sources.list.d/mkosi.sources');
  await mkdir(dirname(sources), { recursive: true });
  await writeFile(sources, aptSources(await findMirrors()));
}

/** The two suites that os/plinth.yaml is locked from, in place of the ones mkosi would write. */
function aptSources({ debian, security }: Mirrors): string {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const source = (uri: string, suite: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\nSigned-By: ${keyring}\n`;
  return `${source(debian, 'trixie')}\n${source(security, 'trixie-security')}`;
}

/** Runs mkosi and notes its steps: lines like "‣  Building default initrd"; steps within steps are further in. */
async function runMkosi(
  tools: Toolbox,
  image: MkosiImage,
  folder: string,
  mode: 'online' | 'offline',
): Promise<Stage[]> {
  const starts: { title: string; ms: number }[] = [];
  await tools.run(
    'mkosi',
    [
      `--directory=${INSIDE}/config`,
      '--force',
      ...(mode === 'offline' ? ['--cache-only=always'] : []),
      'build',
    ],
    {
      cwd: `${INSIDE}/config`,
      network: mode === 'online',
      signal: interrupted,
      binds: [{ host: folder, inside: INSIDE }, ...image.binds],
      onStderrLine: (line) => {
        const title = /^‣ {2}(\S.*)$/.exec(line)?.[1];
        if (title) starts.push({ title, ms: performance.now() });
      },
    },
  );
  const endMs = performance.now();
  return starts.map(({ title, ms }, index) => ({
    title,
    ms: (starts[index + 1]?.ms ?? endMs) - ms,
    cached: false,
  }));
}
