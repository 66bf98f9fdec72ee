import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { fetchPackages, findMirrors, readFromDeb, readLock } from '@plinth/debian';
import type { TarEntry } from '@plinth/formats';
import { removeTree, writeFileAtomic } from '@plinth/host';
import { writeOciArchive } from '@plinth/image';
import { expectNewFile } from '../client/save-new-file.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';
import { type LockName, useLock } from './use-lock.ts';

export interface NodeImageOptions {
  /** Archive to write. */
  readonly output: string;
  /** What pods call it. */
  readonly reference: string;
  /** Take the committed lock or fail. */
  readonly frozen: boolean;
}

/** A file of a package: the package, the file in it, and its path in the image. */
export type PackageFile = readonly [packageName: string, file: RegExp, path: string];

/** A program of this repository that runs on Node in a container. */
export interface NodeProgram {
  /** What it is, in words: "the operator". */
  readonly what: string;
  /** Puts its scripts into a folder. */
  readonly bundle: (dir: string) => Promise<void>;
  /** Where they lie in the image. */
  readonly scriptsFolder: string;
  /** Of the image's process: Node's options, then the script. */
  readonly args: readonly string[];
  /** The lock that packages are taken from. */
  readonly lock: LockName;
  /** What it needs from packages beyond what Node is linked with. */
  readonly packageFiles: readonly PackageFile[];
  /** What it reads, at its paths in the image. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** Folders that the runtime, or the pod, mounts something on, beyond those of every container. */
  readonly mountPoints: readonly string[];
  /** How it is run, with the reference of the image: a command and what it does. */
  readonly next: readonly (readonly [string, string])[];
}

/** Where Debian's loader looks without being told. */
export const LIBRARIES = 'lib/x86_64-linux-gnu';
/** What Node is linked with. */
const LINKED: readonly PackageFile[] = [
  ['libc6', /\/ld-linux-x86-64\.so\.2$/, 'lib64/ld-linux-x86-64.so.2'],
  ['libc6', /\/libc\.so\.6$/, `${LIBRARIES}/libc.so.6`],
  ['libc6', /\/libm\.so\.6$/, `${LIBRARIES}/libm.so.6`],
  ['libc6', /\/libdl\.so\.2$/, `${LIBRARIES}/libdl.so.2`],
  ['libc6', /\/libpthread\.so\.0$/, `${LIBRARIES}/libpthread.so.0`],
  ['libgcc-s1', /\/libgcc_s\.so\.1$/, `${LIBRARIES}/libgcc_s.so.1`],
  ['libstdc++6', /\/libstdc\+\+\.so\.6\.[\d.]+$/, `${LIBRARIES}/libstdc++.so.6`],
  ['libatomic1', /\/libatomic\.so\.1\.[\d.]+$/, `${LIBRARIES}/libatomic.so.1`],
];
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;
const MOUNT_POINTS = ['dev', 'etc', 'proc', 'sys', 'tmp'] as const;
/** Nobody's: the image has no account, and the manifests name this one. */
const USER = '65532:65532';

/**
 * buildNodeImage makes the container image of a program: the Node this tool runs on, the libraries it is linked with from
 * packages of a lock, and the program. No shell, no package manager, nothing else. The same inputs give the same bytes.
 * @throws cli/usage when the file exists, debian/…, image/container-failed, host/io, what `bundle` throws
 */
export async function buildNodeImage(
  program: NodeProgram,
  options: NodeImageOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const path = resolve(options.output);
  await expectNewFile(path);
  const { progress, signal } = context;
  const wanted = [...LINKED, ...program.packageFiles];
  const { taken, epochSeconds } = await progress.step('Take libraries from packages', (step) =>
    useLock(program.lock, options, context, step, (lockDir) =>
      takeFiles(wanted, join(lockDir, `${program.lock}.lock.json`), context.env, signal),
    ),
  );
  const scripts = await progress.step(`Bundle ${program.what}`, () => readScripts(program));
  const files = [
    { path: 'node', mode: 0o555, data: await readFile(process.execPath) },
    ...taken.map(({ path: name, bytes }) => ({ path: name, mode: 0o555, data: bytes })),
    ...[...scripts, ...program.files].map(({ path: name, bytes }) => ({
      path: name,
      mode: 0o444,
      data: bytes,
    })),
  ];
  const image = writeOciArchive({
    reference: options.reference,
    entries: [
      ...foldersOf(files, program.mountPoints),
      ...files.map((file): TarEntry => ({ kind: 'file', ...file })),
    ],
    entrypoint: ['/node', ...program.args],
    user: USER,
    epochSeconds,
  });
  await writeFileAtomic(path, image.bytes);
  const { reference } = options;
  return {
    data: { path, reference, digest: image.digest, sizeBytes: image.bytes.length },
    names: [path],
    view: [
      facts([
        ['image', `${path}, ${formatBytes(image.bytes.length)}`],
        ['digest', image.digest],
      ]),
      nextCommands([
        [`skopeo copy oci-archive:${options.output} docker://${reference}`, 'bring it to a registry'],
        ...program.next,
      ]),
    ],
  };
}

/** Every folder above the files, and those that something is mounted on, each before what is in it. */
function foldersOf(files: readonly { readonly path: string }[], mountPoints: readonly string[]): TarEntry[] {
  const names = new Set<string>();
  const add = (name: string): void => {
    if (name === '.' || names.has(name)) return;
    add(dirname(name));
    names.add(name);
  };
  for (const { path } of files) add(dirname(path));
  for (const name of [...MOUNT_POINTS, ...mountPoints]) add(name);
  return [...names]
    .sort()
    .map((path) => ({ kind: 'directory', path, mode: path === 'tmp' ? 0o1777 : 0o755 }));
}

async function readScripts({ bundle, scriptsFolder }: NodeProgram) {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-scripts-'));
  try {
    await bundle(dir);
    const names = (await readdir(dir)).sort();
    return await Promise.all(
      names.map(async (name) => ({
        path: `${scriptsFolder}/${name}`,
        bytes: await readFile(join(dir, name)),
      })),
    );
  } finally {
    await removeTree(dir);
  }
}

async function takeFiles(
  wanted: readonly PackageFile[],
  lockPath: string,
  env: CommandContext['env'],
  signal: AbortSignal,
) {
  const lock = await readLock(lockPath);
  const names = new Set(wanted.map(([name]) => name));
  const locked = lock.packages.filter(({ name }) => names.has(name));
  const debs = await fetchPackages(locked, { mirrors: await findMirrors({ env }), signal });
  const taken = await Promise.all(
    wanted.map(async ([packageName, file, path]) => {
      const deb = debs.get(packageName);
      const [found] =
        deb === undefined
          ? []
          : await readFromDeb(deb, (each) => file.test(each), { limitBytes: FILE_LIMIT_BYTES, signal });
      if (found) return { path, bytes: found.bytes };
      throw new PlinthError(
        'image/container-failed',
        `Cannot take ${path} from package ${packageName}: it is not there`,
      );
    }),
  );
  return { taken, epochSeconds: Math.floor(Date.parse(lock.created) / 1000) };
}
