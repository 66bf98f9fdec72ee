import { chmod, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../sys/sys.ts';

/** Where a container's data and output lie. */
export interface ContainerFiles {
  /** Writes the data and makes what is mounted. @returns the path of the data, undefined without */
  prepare(name: string, data: string | undefined, folders: readonly string[]): Promise<string | undefined>;
  /** Where its output goes. */
  outputPath(name: string): string;
  outputBytes(name: string): Promise<number>;
  /** The end of its output as text, at most `limitBytes`. */
  outputEnd(name: string, limitBytes: number): Promise<string>;
  /** Those of the paths that are there. */
  present(paths: readonly string[]): Promise<readonly string[]>;
  /** Takes everything away. */
  clear(name: string): Promise<void>;
}

/**
 * containerFiles keeps them below a folder that only root may open. The data is readable for every user of its container, who
 * comes to it by a mount.
 */
export function containerFiles(folder: string): ContainerFiles {
  const at = (name: string, file: string) => join(folder, name, file);
  const clear = (name: string) => rm(join(folder, name), { recursive: true, force: true });
  return {
    async prepare(name, data, folders) {
      await clear(name);
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      for (const each of folders) await mkdir(each, { recursive: true, mode: 0o755 });
      if (data === undefined) return undefined;
      await writeFile(at(name, 'data'), data, { mode: 0o444, flag: 'wx' });
      // The file mask of plinthd takes from what was asked for.
      await chmod(at(name, 'data'), 0o444);
      return at(name, 'data');
    },
    outputPath: (name) => at(name, 'output'),
    outputBytes: (name) => sizeOf(at(name, 'output')),
    async outputEnd(name, limitBytes) {
      const path = at(name, 'output');
      const sizeBytes = await sizeOf(path);
      if (sizeBytes === 0) return '';
      const file = await open(path, 'r');
      try {
        const length = Math.min(sizeBytes, limitBytes);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, sizeBytes - length);
        const text = buffer.toString('utf8', 0, bytesRead);
        // A cut may have gone through a line and through a character.
        return length < sizeBytes ? text.slice(text.indexOf('\n') + 1) : text;
      } finally {
        await file.close();
      }
    },
    async present(paths) {
      const there = await Promise.all(
        paths.map((path) =>
          stat(path).then(
            () => true,
            () => false,
          ),
        ),
      );
      return paths.filter((_, index) => there[index]);
    },
    clear,
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (reason) {
    if (isMissing(reason)) return 0;
    throw reason;
  }
}
