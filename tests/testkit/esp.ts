import { dirname } from 'node:path';
import type { Bind, Toolbox } from '@plinth/toolbox';
import type { DiskCopy } from './disk-copy.ts';

/** The EFI system partition inside a disk image, reached by mtools: no mount, no rights. Paths have no leading "/". */
export interface Esp {
  list(folder: string): Promise<string[]>;
  read(path: string): Promise<Buffer>;
  /** Writes a file whole, making its folders. */
  write(path: string, data: Uint8Array | string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** openEsp opens the partition labelled "esp". */
export function openEsp(toolbox: Toolbox, disk: DiskCopy): Esp {
  const binds: Bind[] = [{ host: disk.path, inside: '/disk' }];
  const image = `/disk@@${disk.partition('esp').offsetBytes}`;
  const mtool = (program: string, args: readonly string[], input: Uint8Array | string = '', okCodes = [0]) =>
    toolbox.run(program, ['-i', image, ...args], { binds, input, okCodes });
  return {
    async list(folder) {
      const { stdout } = await mtool('mdir', ['-b', '-a', `::/${folder}`]);
      const lines = stdout.toString('utf8').trim().split('\n');
      return lines.map((line) => line.replace(`::/${folder}/`, '')).filter((name) => name !== '');
    },
    async read(path) {
      return (await mtool('mcopy', [`::/${path}`, '-'])).stdout;
    },
    async write(path, data) {
      const folders = dirname(path).split('/');
      for (const [index] of folders.entries()) {
        const folder = folders.slice(0, index + 1).join('/');
        // mmd(1) ends with 1 for a folder that is there.
        if (folder !== '.') await mtool('mmd', ['-D', 's', `::/${folder}`], '', [0, 1]);
      }
      await mtool('mcopy', ['-o', '-', `::/${path}`], data);
    },
    async remove(path) {
      await mtool('mdel', [`::/${path}`]);
    },
  };
}
