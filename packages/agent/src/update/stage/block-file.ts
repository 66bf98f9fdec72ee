import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { BlockReader } from '@plinth/formats';
import { ALIGN_BYTES, alignedBuffer } from './aligned-buffer.ts';

/** A disk or a partition. Reads come from the medium and not from what the kernel remembers of writes. */
export interface BlockFile extends BlockReader {
  /** As BlockReader, but the bytes stay until the call after the next. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
  /** Whole sectors. What was written may be lost in a power cut until `flush`. PIECE_BYTES and fewer may be changed once it is called. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Everything written before is on the medium afterwards. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface BlockFileOptions {
  readonly path: string;
  readonly writable: boolean;
  /** For a part of a file: where it begins. */
  readonly startBytes?: number;
  readonly sizeBytes: number;
  /** Which block `flush` writes again as it is; default: the last one. */
  readonly flushAtBytes?: number;
}

/** What is read and written at once: fewer would keep the one thread busy with calls, more would take memory from it. */
export const PIECE_BYTES = 512 * 1024;

/**
 * openBlockFile opens a block device, or a file as if it were one, past the page cache. The runtime has no fsync under its permission
 * model: a durable write of bytes that are there already makes the kernel flush the disk's cache, with all that was written before.
 * Throws system errors.
 */
export async function openBlockFile(options: BlockFileOptions): Promise<BlockFile> {
  const { path, writable, sizeBytes, startBytes = 0 } = options;
  const flushAt = startBytes + (options.flushAtBytes ?? sizeBytes - ALIGN_BYTES);
  const access = writable ? constants.O_RDWR : constants.O_RDONLY;
  const opened: FileHandle[] = [];
  try {
    const handle = await open(path, access | constants.O_DIRECT);
    opened.push(handle);
    // By this handle only flushes are written.
    const durable = writable ? await open(path, access | constants.O_DIRECT | constants.O_DSYNC) : undefined;
    if (durable) opened.push(durable);
    // Two in turn: what was read last may be looked at while the next read is under way.
    const readBuffers: Buffer[] = [];
    const flushBuffer = await alignedBuffer(handle, ALIGN_BYTES);
    let reads = 0;
    const nextBuffer = async () => {
      const turn = reads++ % 2;
      const made = readBuffers[turn] ?? (await alignedBuffer(handle, PIECE_BYTES));
      readBuffers[turn] = made;
      return made;
    };
    const writeBuffer = writable ? await alignedBuffer(handle, PIECE_BYTES) : undefined;
    return {
      sizeBytes,
      async read(offset, lengthBytes) {
        requireInside(path, sizeBytes, offset, lengthBytes);
        if (lengthBytes <= PIECE_BYTES) {
          const bytes = (await nextBuffer()).subarray(0, lengthBytes);
          await readFull(handle, bytes, startBytes + offset);
          return bytes;
        }
        const all = Buffer.allocUnsafe(lengthBytes);
        for (let at = 0; at < lengthBytes; at += PIECE_BYTES) {
          const piece = (await nextBuffer()).subarray(0, Math.min(PIECE_BYTES, lengthBytes - at));
          await readFull(handle, piece, startBytes + offset + at);
          piece.copy(all, at);
        }
        return all;
      },
      async write(offset, bytes) {
        requireInside(path, sizeBytes, offset, bytes.length);
        if (!writeBuffer) throw new Error(`${path} is open for reading only`);
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = writeBuffer.subarray(0, Math.min(PIECE_BYTES, bytes.length - at));
          piece.set(bytes.subarray(at, at + piece.length));
          await writeFull(handle, piece, startBytes + offset + at);
        }
      },
      async flush() {
        if (!durable) return;
        const block = flushBuffer;
        await readFull(handle, block, flushAt);
        await writeFull(durable, block, flushAt);
      },
      close: () => closeAll(opened),
    };
  } catch (reason) {
    await closeAll(opened);
    throw reason;
  }
}

async function readFull(handle: FileHandle, into: Buffer, position: number): Promise<void> {
  const { bytesRead } = await handle.read(into, 0, into.length, position);
  if (bytesRead !== into.length) throw new Error(`read ${bytesRead} of ${into.length} bytes at ${position}`);
}

async function writeFull(handle: FileHandle, from: Buffer, position: number): Promise<void> {
  const { bytesWritten } = await handle.write(from, 0, from.length, position);
  if (bytesWritten !== from.length)
    throw new Error(`wrote ${bytesWritten} of ${from.length} bytes at ${position}`);
}

function requireInside(path: string, sizeBytes: number, offset: number, lengthBytes: number): void {
  if (offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes) return;
  throw new Error(`bytes ${offset} to ${offset + lengthBytes} lie outside of ${path}`);
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  for (const handle of handles) await handle.close();
}
