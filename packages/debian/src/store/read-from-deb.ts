import { spawn } from 'node:child_process';
import { PlinthError } from '@plinth/base';

/** A file of a package. */
export interface DebFile {
  /** Path as tar has it, without "./" at its start. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface ReadFromDebOptions {
  /** Largest file that is taken out. */
  readonly limitBytes: number;
  /** After so many files reading ends. Default 1. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

const BLOCK_BYTES = 512;
const TIMEOUT_MS = 120_000;
/** A package that unpacks to more than this is not read to its end. */
const STREAM_LIMIT_BYTES = 4 * 1024 ** 3;

/**
 * readFromDeb takes single files out of a package without unpacking it: the data member goes through `dpkg-deb
 * --fsys-tarfile`, and what is not wanted is passed over. Links are not followed.
 * @throws debian/package-corrupt, host/command-missing (dpkg-deb), cli/interrupted
 */
export async function readFromDeb(
  debPath: string,
  wanted: (path: string) => boolean,
  options: ReadFromDebOptions,
): Promise<DebFile[]> {
  const child = spawn('dpkg-deb', ['--fsys-tarfile', debPath], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  // Awaited below in every case; until then a failure to start must not count as unhandled.
  ended.catch(() => {});
  const stop = () => child.kill('SIGKILL');
  const timer = setTimeout(stop, TIMEOUT_MS);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const reader = tarReader(wanted, options.limitBytes, options.most ?? 1);
    let streamedBytes = 0;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      streamedBytes += chunk.length;
      if (reader.take(chunk) || streamedBytes > STREAM_LIMIT_BYTES) {
        stop();
        break;
      }
    }
    const exitCode = await ended;
    if (options.signal?.aborted) {
      throw new PlinthError('cli/interrupted', `Cannot finish reading ${debPath}: interrupted`);
    }
    if (exitCode !== 0 && !reader.satisfied()) throw corrupt(debPath, `dpkg-deb ended with ${exitCode}`);
    return reader.files;
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') {
      throw new PlinthError('host/command-missing', 'Cannot run dpkg-deb: not found on this machine', {
        hint: 'Install the package "dpkg".',
        cause: reason,
      });
    }
    throw corrupt(debPath, 'its data is damaged', reason);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** Reads tar (POSIX.1-1988 "ustar" and GNU long names) as it comes in; holds one wanted file at a time. */
function tarReader(wanted: (path: string) => boolean, limitBytes: number, most: number) {
  const files: DebFile[] = [];
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let skipBytes = 0;
  let keep: { path: string; sizeBytes: number; isLongName: boolean } | undefined;
  let longName: string | undefined;
  const pull = (sizeBytes: number): Buffer | undefined => {
    if (pendingBytes < sizeBytes) return undefined;
    const all = pending.length === 1 ? pending[0] : Buffer.concat(pending);
    if (!all) return undefined;
    pending.length = 0;
    const rest = all.subarray(sizeBytes);
    if (rest.length > 0) pending.push(rest);
    pendingBytes = rest.length;
    return all.subarray(0, sizeBytes);
  };
  const finishFile = (): boolean => {
    if (!keep) return false;
    const bytes = pull(padded(keep.sizeBytes))?.subarray(0, keep.sizeBytes);
    if (!bytes) return false;
    if (keep.isLongName) longName = textOf(bytes);
    else files.push({ path: keep.path, bytes: Buffer.from(bytes) });
    keep = undefined;
    return true;
  };
  const startFile = (): boolean => {
    const header = pull(BLOCK_BYTES);
    if (!header) return false;
    if (header[0] === 0) return true;
    const sizeBytes = Number.parseInt(textOf(header.subarray(124, 136)).trim() || '0', 8);
    if (!Number.isSafeInteger(sizeBytes)) throw new Error('a header of tar has no size');
    const kind = String.fromCharCode(header[156] ?? 0);
    const isLongName = kind === 'L';
    const prefix = textOf(header.subarray(345, 500));
    const plain = textOf(header.subarray(0, 100));
    const path = (longName ?? (prefix === '' ? plain : `${prefix}/${plain}`)).replace(/^\.\//, '');
    if (!isLongName) longName = undefined;
    const isFile = kind === '0' || kind === '\0';
    if ((isLongName && sizeBytes < 8192) || (isFile && sizeBytes <= limitBytes && wanted(path))) {
      keep = { path, sizeBytes, isLongName };
    } else skipBytes = padded(sizeBytes);
    return true;
  };
  return {
    files,
    satisfied: () => files.length >= most,
    /** Takes the next bytes; true when nothing more is wanted. */
    take: (chunk: Buffer): boolean => {
      pending.push(chunk);
      pendingBytes += chunk.length;
      for (;;) {
        if (files.length >= most) return true;
        if (skipBytes > 0) {
          const now = Math.min(skipBytes, pendingBytes);
          if (now === 0) return false;
          pull(now);
          skipBytes -= now;
        } else if (!(keep ? finishFile() : startFile())) return false;
      }
    },
  };
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function corrupt(path: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError(
    'debian/package-corrupt',
    `Cannot read ${path}: ${state}, expected a whole package`,
    { cause },
  );
}
