import assert from 'node:assert/strict';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type BlockReader, type GptPartition, readGpt } from '@plinth/formats';
import { run } from '@plinth/host';

/** A disk image that a test may damage; the one it was copied from stays as it is. */
export interface DiskCopy extends BlockReader {
  readonly path: string;
  /** The partition with that GPT label. */
  partition(label: string): GptPartition;
  partitionByNumber(number: number): GptPartition;
  write(offsetBytes: number, data: Uint8Array): Promise<void>;
  /** Turns one bit over and back when called again. */
  flipBit(offsetBytes: number): Promise<void>;
}

/** copyDisk copies a raw disk without its holes. */
export async function copyDisk(source: string, path: string): Promise<DiskCopy> {
  await copyFile(source, path);
  return openDisk(path);
}

/** copyFile copies a large file without its holes. */
export async function copyFile(source: string, path: string): Promise<void> {
  await run('cp', ['--reflink=auto', '--sparse=always', source, path]);
}

/** openDisk reads the partitions of a raw disk that may be changed. */
export async function openDisk(path: string): Promise<DiskCopy> {
  const withFile = async <T>(work: (file: FileHandle) => Promise<T>): Promise<T> => {
    const file = await open(path, 'r+');
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  };
  const read = (offsetBytes: number, lengthBytes: number) =>
    withFile(async (file) => {
      const buffer = Buffer.alloc(lengthBytes);
      const { bytesRead } = await file.read(buffer, 0, lengthBytes, offsetBytes);
      assert.equal(bytesRead, lengthBytes, `bytes at ${offsetBytes} of ${path}`);
      return buffer;
    });
  const write = (offsetBytes: number, data: Uint8Array) =>
    withFile(async (file) => {
      await file.write(data, 0, data.length, offsetBytes);
    });
  const reader: BlockReader = { sizeBytes: (await stat(path)).size, read };
  const { partitions } = await readGpt(reader);
  return {
    ...reader,
    path,
    write,
    partitionByNumber(number) {
      const found = partitions.find((partition) => partition.number === number);
      assert.ok(found, `no partition ${number}`);
      return found;
    },
    partition(label) {
      const found = partitions.find((each) => each.label === label);
      assert.ok(found, `no partition "${label}" among ${partitions.map((each) => each.label).join(', ')}`);
      return found;
    },
    async flipBit(offsetBytes) {
      const byte = await read(offsetBytes, 1);
      await write(offsetBytes, Buffer.of(byte.readUInt8(0) ^ 1));
    },
  };
}
