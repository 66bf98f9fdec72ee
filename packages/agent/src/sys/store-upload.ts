import { createHash } from 'node:crypto';
import { constants, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_LIMIT_BYTES } from '@plinth/api';
import type { Sys } from './sys.ts';

/** A file that a client sends, as it was announced and where it shall lie. */
export interface Upload {
  readonly folder: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** What must stay free on the disk beside it. */
  readonly reserveBytes: number;
}

/** The errors of the subject that the file is of. */
export interface UploadErrors {
  /** @param problem what is wrong with it, and what was expected */
  invalid(problem: string): Error;
  space(availableBytes: number, neededBytes: number): Error;
}

/** Each write waits for the disk, so pieces are gathered. */
const WRITE_BYTES = 2 * 1024 * 1024;

/**
 * storeUpload stores a file: it appears whole and checked, or not at all. What a stream that broke off with plinthd has
 * left in the folder goes first. @throws what `errors` gives, and system errors of the disk
 */
export async function storeUpload(
  sys: Pick<Sys, 'usage'>,
  { folder, name, sizeBytes, sha256, reserveBytes }: Upload,
  chunks: AsyncIterable<Uint8Array>,
  errors: UploadErrors,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await dropLeftovers(folder);
  const { availableBytes } = await sys.usage(folder);
  if (availableBytes < sizeBytes + reserveBytes) throw errors.space(availableBytes, sizeBytes + reserveBytes);
  const temporary = join(folder, `.${name}.tmp`);
  try {
    const seen = await writeChunks(temporary, sizeBytes, chunks);
    if (seen.sizeBytes !== sizeBytes)
      throw errors.invalid(`${seen.sizeBytes} bytes came, expected ${sizeBytes}`);
    if (seen.sha256 !== sha256.toLowerCase())
      throw errors.invalid(`its SHA-256 is ${seen.sha256}, expected ${sha256.toLowerCase()}`);
    await rename(temporary, join(folder, name));
  } catch (reason) {
    await rm(temporary, { force: true });
    throw reason;
  }
}

/** Written with O_SYNC: the permission model of the runtime takes fsync away. */
async function writeChunks(
  path: string,
  limitBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ sizeBytes: number; sha256: string }> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0o600);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const write = async () => {
    await file.writeFile(Buffer.concat(gathered));
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (chunk.length > CHUNK_LIMIT_BYTES || sizeBytes > limitBytes) break;
      hash.update(chunk);
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes >= WRITE_BYTES) await write();
    }
    await write();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function dropLeftovers(folder: string): Promise<void> {
  const leftovers = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
  for (const name of leftovers) await rm(join(folder, name), { force: true });
}
