import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { cacheDir, exists, ioError, isErrno } from '@plinth/host';
import { type FileReader, openFileReader } from './file-reader.ts';

/** No disk that Plinth makes comes near; a bomb stops here. */
const UNPACKED_LIMIT_BYTES = 64 * 2 ** 30;

/**
 * openDisk opens a raw disk image, or one compressed with zstd: that is unpacked to a temporary file, which goes away
 * when the disk is closed. Holes stay holes.
 * @throws release/not-found, release/disk-invalid, host/disk-full, host/io, cli/interrupted
 */
export async function openDisk(path: string, signal?: AbortSignal): Promise<FileReader> {
  if (!(await exists(path))) {
    throw new PlinthError(
      'release/not-found',
      `Cannot open ${path}: there is no such file, expected a disk image`,
    );
  }
  if (!path.endsWith('.zst')) return openFileReader(path);
  await mkdir(cacheDir(), { recursive: true });
  const folder = await mkdtemp(join(cacheDir(), `unpacked-${process.pid}-`));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    const raw = join(folder, 'disk.raw');
    await unpack(path, raw, signal);
    const reader = await openFileReader(raw);
    return { ...reader, close: () => reader.close().finally(clean) };
  } catch (reason) {
    await clean();
    throw reason;
  }
}

async function unpack(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(to, 'wx');
  let offset = 0;
  try {
    await decompress(
      from,
      async (chunk) => {
        if (!isZero(chunk)) await file.write(chunk, 0, chunk.length, offset);
        offset += chunk.length;
      },
      signal,
    );
    await file.truncate(offset);
  } catch (reason) {
    throw ioError(reason, `unpack ${from}`);
  } finally {
    await file.close();
  }
}

async function decompress(
  path: string,
  take: (chunk: Buffer) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let sizeBytes = 0;
  const sink = new Writable({
    highWaterMark: 1 << 20,
    write(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > UNPACKED_LIMIT_BYTES)
        return done(invalid(path, `more than ${UNPACKED_LIMIT_BYTES} bytes`));
      take(chunk).then(() => done(), done);
    },
  });
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      createZstdDecompress({ chunkSize: 1 << 20 }),
      sink,
      ...(signal ? [{ signal }] : []),
    );
  } catch (reason) {
    if (signal?.aborted) throw new PlinthError('cli/interrupted', `Cannot unpack ${path}: interrupted`);
    const damaged = reason instanceof Error && 'code' in reason && String(reason.code).startsWith('ZSTD_');
    if (damaged) throw invalid(path, reason.message);
    if (isErrno(reason, 'ERR_STREAM_PREMATURE_CLOSE') || isErrno(reason, 'Z_BUF_ERROR')) {
      throw invalid(path, 'it ends too early');
    }
    throw ioError(reason, `unpack ${path}`);
  }
}

function isZero(chunk: Buffer): boolean {
  return chunk[0] === 0 && chunk.compare(chunk, 0, chunk.length - 1, 1) === 0;
}

function invalid(path: string, state: string): PlinthError {
  return new PlinthError(
    'release/disk-invalid',
    `Cannot unpack ${path}: ${state}, expected a whole zstd file`,
  );
}
