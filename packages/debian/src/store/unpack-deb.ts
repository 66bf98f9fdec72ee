import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { ioError, mapParallel, run } from '@plinth/host';

/** Longer than any package takes on a busy machine; a decompression bomb ends here at the latest. */
const TIMEOUT_MS = 10 * 60 * 1000;
const AR_MAGIC = '!<arch>\n';
const AR_HEADER_BYTES = 60;

/**
 * unpackDeb unpacks the files of a package into `dir`, without running anything of it. A folder of the package
 * replaces a link of that name in `dir`, as dpkg-deb --extract does.
 * @throws debian/package-corrupt, host/command-missing (dpkg-deb), host/disk-full
 */
export async function unpackDeb(debPath: string, dir: string, signal?: AbortSignal): Promise<void> {
  await requireWholeArchive(debPath);
  try {
    await run('dpkg-deb', ['--extract', debPath, dir], {
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      timeoutMs: TIMEOUT_MS,
      signal,
    });
  } catch (reason) {
    const error = PlinthError.from(reason, 'debian/package-corrupt', `Cannot unpack ${debPath}`);
    if (error.code === 'host/command-missing') {
      throw new PlinthError(error.code, error.message, { hint: 'Install the package "dpkg".', cause: error });
    }
    if (error.code !== 'host/command-failed') throw error;
    throw corrupt(debPath, error.message.split('\n').slice(1).join(' ').trim(), error);
  }
}

/** unpackAll unpacks many packages into one folder, several at once. */
export async function unpackAll(
  debPaths: Iterable<string>,
  dir: string,
  options: { readonly progress?: Progress | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const paths = [...debPaths];
  await (options.progress ?? silentProgress).step(`Unpack ${paths.length} packages`, async (step) => {
    let done = 0;
    await mapParallel(paths, availableParallelism(), async (path) => {
      await unpackDeb(path, dir, options.signal);
      step.note(`${++done}/${paths.length}`);
    });
  });
}

/** Walks the member headers of the outer archive (ar(5)), so that a cut-off file is told from a strange one. */
async function requireWholeArchive(path: string): Promise<void> {
  const file = await open(path, 'r').catch((reason) => {
    throw ioError(reason, `read ${path}`);
  });
  try {
    const { size: sizeBytes } = await file.stat();
    const magic = await file.read(Buffer.alloc(AR_MAGIC.length), 0, AR_MAGIC.length, 0);
    if (magic.buffer.toString('latin1') !== AR_MAGIC) throw corrupt(path, 'it is no Debian package');
    let offset = AR_MAGIC.length;
    while (offset < sizeBytes) {
      const { buffer } = await file.read(Buffer.alloc(AR_HEADER_BYTES), 0, AR_HEADER_BYTES, offset);
      const memberBytes = Number(/^(\d{1,12}) *$/.exec(buffer.toString('latin1', 48, 58))?.[1] ?? Number.NaN);
      if (Number.isNaN(memberBytes)) throw corrupt(path, `damaged at byte ${offset}`);
      offset += AR_HEADER_BYTES + memberBytes + (memberBytes % 2);
    }
    // Some writers leave out the last padding byte.
    if (offset > sizeBytes + 1) throw corrupt(path, `${offset - sizeBytes} bytes are missing at its end`);
  } finally {
    await file.close();
  }
}

function corrupt(path: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError(
    'debian/package-corrupt',
    `Cannot unpack ${path}: ${state}, expected a whole package`,
    {
      cause,
    },
  );
}
