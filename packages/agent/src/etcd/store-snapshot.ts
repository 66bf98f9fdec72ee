import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { checkDigest } from './read-snapshot.ts';

/** etcd itself warns of databases above 8 GiB. */
export const SNAPSHOT_LIMIT_BYTES = 8 * 1024 ** 3;
const WRITE_BYTES = 1024 * 1024;
/** Each write is durable by itself: the permission model of the runtime takes fsync away. */
const FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_SYNC | constants.O_NOFOLLOW;

/**
 * storeSnapshot writes a snapshot to a file of root's and checks its size and checksum. The file is deleted when
 * anything is wrong with it.
 * @throws etcd/snapshot-damaged, and system errors
 */
export async function storeSnapshot(
  folder: string,
  name: string,
  sizeBytes: number,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (!(sizeBytes > 0 && sizeBytes <= SNAPSHOT_LIMIT_BYTES))
    throw damaged(`it is said to have ${sizeBytes} bytes`, `between 1 and ${SNAPSHOT_LIMIT_BYTES}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = `${folder}/${name}`;
  try {
    const file = await open(path, FLAGS, 0o600);
    try {
      await write(file, sizeBytes, pieces);
    } finally {
      await file.close();
    }
  } catch (reason) {
    await rm(path, { force: true });
    throw reason;
  }
}

async function write(file: FileHandle, sizeBytes: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const check = checkDigest();
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let writtenBytes = 0;
  const flush = async () => {
    const block = Buffer.concat(pending);
    for (let offset = 0; offset < block.length; )
      offset += (await file.write(block, offset, block.length - offset)).bytesWritten;
    writtenBytes += block.length;
    pending = [];
    pendingBytes = 0;
  };
  for await (const piece of pieces) {
    check.add(piece);
    pending.push(piece);
    pendingBytes += piece.length;
    if (writtenBytes + pendingBytes > sizeBytes)
      throw damaged('more came than was said', `${sizeBytes} bytes`);
    if (pendingBytes >= WRITE_BYTES) await flush();
  }
  await flush();
  if (writtenBytes !== sizeBytes) throw damaged(`${writtenBytes} bytes came`, `${sizeBytes}`);
  check.end();
}

function damaged(state: string, expected: string): PlinthError {
  return new PlinthError('etcd/snapshot-damaged', `Cannot use the snapshot: ${state}, expected ${expected}`);
}
