import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MakePipes, openPipes } from '../containers/own/pipes.ts';

/** What a container writes, as it comes. A pipe: with a file, the runtime's shim loses what comes late on one of two streams. */
export interface ContainerOutput {
  readonly path: string;
  /** Ends when the container is gone. */
  readonly pieces: AsyncIterable<Uint8Array>;
  close(): void;
}

/** Where a container's data and output lie. */
export interface ContainerFiles {
  /** Writes the data and makes what is mounted. @returns the path of the data, undefined without */
  prepare(name: string, data: string | undefined, folders: readonly string[]): Promise<string | undefined>;
  /** Opens what takes its output. */
  openOutput(name: string): Promise<ContainerOutput>;
  /** Those of the paths that are there. */
  present(paths: readonly string[]): Promise<readonly string[]>;
  /** Takes everything away. */
  clear(name: string): Promise<void>;
}

/**
 * containerFiles keeps them below a folder that only root may open. The data is readable for every user of its container, who
 * comes to it by a mount.
 */
export function containerFiles(folder: string, makePipes: MakePipes): ContainerFiles {
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
    async openOutput(name) {
      await makePipes(join(folder, name));
      const { stdout, output, close } = await openPipes(join(folder, name));
      return { path: stdout, pieces: output, close };
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
