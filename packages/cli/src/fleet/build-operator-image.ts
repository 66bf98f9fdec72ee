import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { fetchPackages, findMirrors, readFromDeb, readLock } from '@plinth/debian';
import { bundleOperator, OPERATOR_FILES, OPERATOR_FLAGS } from '@plinth/fleet/build';
import type { TarEntry } from '@plinth/formats';
import { removeTree, writeFileAtomic } from '@plinth/host';
import { writeOciArchive } from '@plinth/image';
import { expectNewFile } from '../client/save-new-file.ts';
import { useLock } from '../flows/use-lock.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export interface BuildOperatorImageOptions {
  readonly output: string;
  readonly reference: string;
  readonly frozen: boolean;
}

/** Where Debian's loader looks without being told. */
const LIBRARIES = 'lib/x86_64-linux-gnu';
/** What Node is linked with: the package, the file in it, and the name it is asked for by. */
const LINKED: readonly (readonly [packageName: string, file: RegExp, name: string])[] = [
  ['libc6', /\/ld-linux-x86-64\.so\.2$/, 'lib64/ld-linux-x86-64.so.2'],
  ['libc6', /\/libc\.so\.6$/, `${LIBRARIES}/libc.so.6`],
  ['libc6', /\/libm\.so\.6$/, `${LIBRARIES}/libm.so.6`],
  ['libc6', /\/libdl\.so\.2$/, `${LIBRARIES}/libdl.so.2`],
  ['libc6', /\/libpthread\.so\.0$/, `${LIBRARIES}/libpthread.so.0`],
  ['libgcc-s1', /\/libgcc_s\.so\.1$/, `${LIBRARIES}/libgcc_s.so.1`],
  ['libstdc++6', /\/libstdc\+\+\.so\.6\.[\d.]+$/, `${LIBRARIES}/libstdc++.so.6`],
  ['libatomic1', /\/libatomic\.so\.1\.[\d.]+$/, `${LIBRARIES}/libatomic.so.1`],
];
const LIBRARY_LIMIT_BYTES = 16 * 1024 * 1024;
/** Folders that the runtime, or the pod, mounts something on. */
const FOLDERS = [
  'app',
  'dev',
  'etc',
  'etc/plinth-fleet',
  'lib',
  LIBRARIES,
  'lib64',
  'proc',
  'sys',
  'tmp',
  'var',
  'var/run',
];
const USER = '65532:65532';

/**
 * buildOperatorImage makes the container image of the fleet operator: the Node this tool runs on, the libraries it is linked with
 * from the lock of the OS, and the operator. No shell, no package manager, nothing else. The same inputs give the same bytes.
 * @throws cli/usage when the file exists, debian/…, fleet/bundle-failed, host/io
 */
export async function buildOperatorImage(
  options: BuildOperatorImageOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const path = resolve(options.output);
  await expectNewFile(path);
  const { progress, signal } = context;
  const { libraries, epochSeconds } = await progress.step('Take libraries from packages', (step) =>
    useLock('plinth', options, context, step, (lockDir) => takeLibraries(lockDir, signal)),
  );
  const scripts = await progress.step('Bundle the operator', readOperator);
  const executable = (name: string, data: Uint8Array): TarEntry => ({
    kind: 'file',
    path: name,
    mode: 0o555,
    data,
  });
  const image = writeOciArchive({
    reference: options.reference,
    entries: [
      ...FOLDERS.map(
        (name): TarEntry => ({ kind: 'directory', path: name, mode: name === 'tmp' ? 0o1777 : 0o755 }),
      ),
      executable('node', await readFile(process.execPath)),
      ...libraries.map(({ name, bytes }) => executable(name, bytes)),
      ...scripts.map(
        ({ name, bytes }): TarEntry => ({ kind: 'file', path: `app/${name}`, mode: 0o444, data: bytes }),
      ),
    ],
    entrypoint: ['/node', ...OPERATOR_FLAGS, `/app/${OPERATOR_FILES.main}`],
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
        [`plinth fleet install --image ${reference}`, 'run it'],
      ]),
    ],
  };
}

async function readOperator() {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-operator-'));
  try {
    await bundleOperator(dir);
    return await Promise.all(
      Object.values(OPERATOR_FILES).map(async (name) => ({ name, bytes: await readFile(join(dir, name)) })),
    );
  } finally {
    await removeTree(dir);
  }
}

async function takeLibraries(lockDir: string, signal: AbortSignal) {
  const lock = await readLock(join(lockDir, 'plinth.lock.json'));
  const names = new Set(LINKED.map(([name]) => name));
  const locked = lock.packages.filter(({ name }) => names.has(name));
  const paths = await fetchPackages(locked, { mirrors: await findMirrors(), signal });
  const libraries = await Promise.all(
    LINKED.map(async ([packageName, file, name]) => {
      const path = paths.get(packageName);
      const [found] =
        path === undefined
          ? []
          : await readFromDeb(path, (each) => file.test(each), { limitBytes: LIBRARY_LIMIT_BYTES, signal });
      if (found) return { name, bytes: found.bytes };
      throw new PlinthError(
        'fleet/bundle-failed',
        `Cannot take ${name} from package ${packageName}: it is not there`,
      );
    }),
  );
  return { libraries, epochSeconds: Math.floor(Date.parse(lock.created) / 1000) };
}
