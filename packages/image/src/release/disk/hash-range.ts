import { createHash } from 'node:crypto';
import type { BlockReader } from '@plinth/formats';

const CHUNK_BYTES = 1 << 20;

/** hashRange streams a part of a disk through SHA-256; lower-case hex. */
export async function hashRange(
  disk: BlockReader,
  range: { readonly offsetBytes: number; readonly sizeBytes: number },
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < range.sizeBytes; at += CHUNK_BYTES) {
    const lengthBytes = Math.min(CHUNK_BYTES, range.sizeBytes - at);
    hash.update(await disk.read(range.offsetBytes + at, lengthBytes));
  }
  return hash.digest('hex');
}
