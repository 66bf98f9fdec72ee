import { writeFile } from 'node:fs/promises';
import type { ExtraDrive } from '@plinth/local';
import type { Toolbox } from '@plinth/toolbox';

const FAT_BYTES = 2 * 1024 * 1024;

/**
 * makeFatDrive makes a NoCloud drive on FAT, as mkfs.fat and mcopy make it.
 * @param files by their names: "user-data", "meta-data"
 */
export async function makeFatDrive(
  toolbox: Toolbox,
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<ExtraDrive> {
  await writeFile(path, Buffer.alloc(FAT_BYTES));
  const binds = [{ host: path, inside: '/drive' }];
  await toolbox.run('mkfs.fat', ['-n', 'CIDATA', '/drive'], { binds });
  for (const [name, input] of Object.entries(files))
    await toolbox.run('mcopy', ['-i', '/drive', '-', `::/${name}`], { binds, input });
  return { path, format: 'raw', readOnly: true };
}
