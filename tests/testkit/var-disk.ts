import { randomBytes } from 'node:crypto';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Toolbox } from '@plinth/toolbox';
import { copyFile, type DiskCopy, openDisk } from './disk-copy.ts';

/** A small /var, so that it is quickly damaged or filled. */
const DISK_SIZE_BYTES = 2 * 1024 ** 3;
const BACKUP_GROUP_BYTES = 128 * 1024 ** 2;
const FULL_SIZE_BYTES = 32 * 1024 ** 2;
const FILL_STEP_BYTES = 64 * 1024;
const EXT4_SUPERBLOCK_OFFSET = 1024;

/** copyWithVar copies a disk and makes /var on it, by the definitions that the node uses at its first boot. */
export async function copyWithVar(toolbox: Toolbox, source: string, path: string): Promise<DiskCopy> {
  await copyFile(source, path);
  await truncate(path, DISK_SIZE_BYTES);
  const definitions = join(import.meta.dirname, '../../os/repart.d');
  await toolbox.run(
    'systemd-repart',
    ['--offline=yes', '--dry-run=no', '--sector-size=512', '--definitions=/definitions', '/disk'],
    {
      binds: [
        { host: path, inside: '/disk' },
        { host: definitions, inside: '/definitions', readOnly: true },
      ],
    },
  );
  return openDisk(path);
}

/** corruptVar overwrites the superblock of /var and the backups that e2fsck(8) would restore it from. */
export async function corruptVar(disk: DiskCopy): Promise<void> {
  const { offsetBytes, sizeBytes } = disk.partition('var');
  await disk.write(offsetBytes + EXT4_SUPERBLOCK_OFFSET, randomBytes(1024));
  for (let group = 1; group * BACKUP_GROUP_BYTES < sizeBytes; group++) {
    await disk.write(offsetBytes + group * BACKUP_GROUP_BYTES, randomBytes(1024));
  }
}

/**
 * fillVar replaces the file system of /var by one that has neither a free block nor a free inode.
 * mke2fs(8) takes the largest file that fits: each try is smaller by a step until one does.
 */
export async function fillVar(toolbox: Toolbox, disk: DiskCopy, scratch: string): Promise<void> {
  const folder = join(scratch, 'full');
  const content = join(folder, 'content');
  await mkdir(content, { recursive: true });
  // Of 16 inodes 11 are the file system's own; these and the large file take the rest. A /var that was in use has tmp.
  await mkdir(join(content, 'tmp'));
  for (const name of ['a', 'b', 'c']) await writeFile(join(content, name), '');
  const binds = [{ host: folder, inside: '/full' }];
  const label = [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-m',
    '0',
    '-b',
    '4096',
    '-N',
    '16',
    '-O',
    '^has_journal',
    '-L',
    'var',
  ];
  for (let fillBytes = FULL_SIZE_BYTES; fillBytes > 0; fillBytes -= FILL_STEP_BYTES) {
    await writeFile(join(content, 'fill'), Buffer.alloc(fillBytes, 1));
    const image = ['-d', '/full/content', '/full/var.img', `${FULL_SIZE_BYTES / 1024}k`];
    const { exitCode } = await toolbox.run('mke2fs', [...label, ...image], { binds, okCodes: [0, 1] });
    if (exitCode === 0) break;
  }
  await disk.write(disk.partition('var').offsetBytes, await readFile(join(folder, 'var.img')));
}
