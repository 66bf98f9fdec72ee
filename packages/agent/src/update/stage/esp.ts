import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ALIGN_BYTES, alignedBuffer } from './aligned-buffer.ts';

export interface EspFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/** The folder EFI/Linux of the EFI system partition. Names and contents are durable once a call has ended. */
export interface Esp {
  list(): Promise<readonly EspFile[]>;
  remove(name: string): Promise<void>;
  /** Replaces what has the new name. */
  rename(from: string, to: string): Promise<void>;
  /** Opens a new file; one with that name goes first. */
  create(name: string): Promise<EspWriter>;
  /** Reads from the medium; fewer bytes at the file's end. */
  read(name: string, offset: number, lengthBytes: number): Promise<Buffer>;
  availableBytes(): Promise<number>;
}

export interface EspWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * openEsp works on the mounted file system; systemd mounts it on first use. It has to be mounted with "dirsync": names are on the medium
 * then when a call has ended. Contents are by O_SYNC, as the runtime has no fsync.
 * @param flush makes the disk write down what its cache holds
 */
export function openEsp(folder: string, flush: () => Promise<void>): Esp {
  const at = (name: string) => join(folder, name);
  return {
    async list() {
      const names = await readdir(folder);
      return Promise.all(names.map(async (name) => ({ name, sizeBytes: (await stat(at(name))).size })));
    },
    async remove(name) {
      await rm(at(name), { force: true });
      await flush();
    },
    async rename(from, to) {
      await rename(at(from), at(to));
      await flush();
    },
    async create(name) {
      await mkdir(folder, { recursive: true });
      await rm(at(name), { force: true });
      const file = await open(
        at(name),
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_SYNC,
        0o600,
      );
      return {
        async write(bytes) {
          for (let done = 0; done < bytes.length; ) {
            const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
            done += bytesWritten;
          }
        },
        close: () => file.close(),
      };
    },
    async read(name, offset, lengthBytes) {
      const file = await open(at(name), constants.O_RDONLY | constants.O_DIRECT);
      try {
        const start = offset - (offset % ALIGN_BYTES);
        const end = Math.ceil((offset + lengthBytes) / ALIGN_BYTES) * ALIGN_BYTES;
        const buffer = await alignedBuffer(file, end - start);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
        return buffer.subarray(offset - start, Math.min(offset - start + lengthBytes, bytesRead));
      } finally {
        await file.close();
      }
    },
    async availableBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}
