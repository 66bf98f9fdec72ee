import { type FileHandle, open } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import type { BlockReader } from '@plinth/formats';
import { ioError } from '@plinth/host';

export interface FileReader extends BlockReader {
  /** The file that is read: for a compressed disk, the unpacked one. */
  readonly path: string;
  close(): Promise<void>;
}

/**
 * openFileReader reads anywhere in a file, however large; a short read is an error.
 * @throws host/io
 */
export async function openFileReader(path: string): Promise<FileReader> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (reason) {
    throw ioError(reason, `open ${path}`);
  }
  const { size } = await file.stat();
  return {
    path,
    sizeBytes: size,
    close: () => file.close(),
    read: async (offset, lengthBytes) => {
      const bytes = Buffer.allocUnsafe(lengthBytes);
      const { bytesRead } = await file.read(bytes, 0, lengthBytes, offset).catch((reason: unknown) => {
        throw ioError(reason, `read ${path}`);
      });
      if (bytesRead === lengthBytes) return bytes;
      const state = `${bytesRead} bytes at byte ${offset}, expected ${lengthBytes}`;
      throw new PlinthError('host/io', `Cannot read ${path}: ${state}`);
    },
  };
}

/** sliceReader sees a part of what another reader sees, such as a partition of a disk. */
export function sliceReader(
  whole: BlockReader,
  part: { readonly offsetBytes: number; readonly sizeBytes: number },
): BlockReader {
  return {
    sizeBytes: part.sizeBytes,
    read: async (offset, lengthBytes) => {
      if (offset + lengthBytes <= part.sizeBytes) return whole.read(part.offsetBytes + offset, lengthBytes);
      const state = `${lengthBytes} bytes at byte ${offset} of ${part.sizeBytes}`;
      throw new PlinthError(
        'release/disk-invalid',
        `Cannot read partition: ${state}, expected them inside it`,
      );
    },
  };
}
