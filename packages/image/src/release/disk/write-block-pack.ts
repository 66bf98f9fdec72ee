import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VERITY_BLOCK_BYTES } from '@plinth/formats';
import { ioError } from '@plinth/host';
import { openBlockPacker } from '@plinth/updates';
import type { SlotPart } from './split-slot.ts';

/** Blocks that are joined to one write. */
const BATCH_BLOCKS = 256;

/**
 * writeBlockPack writes a partition of a slot compressed block by block, for updates.
 * @throws host/disk-full, host/io
 */
export async function writeBlockPack(rawPath: string, part: SlotPart, output: string): Promise<void> {
  const range = { start: part.offsetBytes, end: part.offsetBytes + part.sizeBytes - 1 };
  const root = createReadStream(rawPath, { ...range, highWaterMark: BATCH_BLOCKS * VERITY_BLOCK_BYTES });
  try {
    await pipeline(Readable.from(packed(root)), createWriteStream(output, { highWaterMark: 1 << 20 }));
  } catch (reason) {
    await rm(output, { force: true });
    throw ioError(reason, `write ${output}`);
  }
}

async function* packed(root: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packer = openBlockPacker();
  let rest = Buffer.alloc(0);
  for await (const chunk of root) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const frames: Buffer[] = [];
    let at = 0;
    for (; at + VERITY_BLOCK_BYTES <= bytes.length; at += VERITY_BLOCK_BYTES)
      frames.push(packer.add(bytes.subarray(at, at + VERITY_BLOCK_BYTES)));
    rest = Buffer.from(bytes.subarray(at));
    yield Buffer.concat(frames);
  }
  yield packer.end();
}
