import { constants, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../sys/sys.ts';

/** One file of the log. */
export interface AuditFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Where the audit log lies. Failures are system errors. */
export interface AuditFiles {
  /** All files, by name. */
  list(): Promise<readonly AuditFile[]>;
  /** Adds bytes at the end, durably; makes the file when there is none. A failure may leave a part of them. */
  append(name: string, data: Uint8Array): Promise<void>;
  /** At most `limitBytes` from a place; fewer at the end. */
  read(name: string, offset: number, limitBytes: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
}

const NAME = /^\d{16}\.jsonl$/;

/** fileName is the file whose first line has that number; names sort as numbers do. */
export function fileName(sequence: number): string {
  return `${String(sequence).padStart(16, '0')}.jsonl`;
}

/** firstSequence is the number of the first line of a file. */
export function firstSequence(name: string): number {
  return Number(name.slice(0, 16));
}

/** auditFolder keeps the log in a folder, readable by root only. */
export function auditFolder(folder: string): AuditFiles {
  return {
    async list() {
      const names = await readdir(folder).catch((reason: unknown) => {
        if (isMissing(reason)) return [];
        throw reason;
      });
      const own = names.filter((name) => NAME.test(name)).sort();
      return Promise.all(
        own.map(async (name) => ({ name, sizeBytes: (await stat(join(folder, name))).size })),
      );
    },
    async append(name, data) {
      // O_SYNC: the permission model of the runtime takes fsync away, so the write has to be durable by itself.
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_SYNC;
      const openIt = () => open(join(folder, name), flags, 0o600);
      // The folder is there but for the first time: each call of the API is a record, so one look less at it is worth it.
      const file = await openIt().catch(async (reason: unknown) => {
        if (!isMissing(reason)) throw reason;
        await mkdir(folder, { recursive: true, mode: 0o700 });
        return openIt();
      });
      try {
        await file.writeFile(data);
      } finally {
        await file.close();
      }
    },
    async read(name, offset, limitBytes) {
      const file = await open(join(folder, name), 'r');
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

/** auditMemory keeps the log in this process. */
export function auditMemory(): AuditFiles {
  const files = new Map<string, Buffer>();
  return {
    list: async () =>
      [...files]
        .map(([name, data]) => ({ name, sizeBytes: data.length }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    async append(name, data) {
      files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), data]));
    },
    read: async (name, offset, limitBytes) =>
      (files.get(name) ?? Buffer.alloc(0)).subarray(offset, offset + limitBytes),
    async remove(name) {
      files.delete(name);
    },
  };
}
