import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';

/** How large the parts of one slot may be; all nodes installed with a layout keep it. */
export interface SlotSizes {
  readonly rootSizeBytes: number;
  readonly veritySizeBytes: number;
}

const UNIT_BYTES = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const;

/**
 * readSlotSizes takes the sizes of slot A from its definitions (repart.d(5), SizeMaxBytes=).
 * @throws image/spec-invalid when a definition does not say it
 */
export async function readSlotSizes(definitionsDir: string): Promise<SlotSizes> {
  return {
    rootSizeBytes: await maxSize(join(definitionsDir, '20-root-a.conf')),
    veritySizeBytes: await maxSize(join(definitionsDir, '21-root-a-verity.conf')),
  };
}

/** For the partition table and its backup, with the alignment of the first partition. */
const TABLES_BYTES = 2 * UNIT_BYTES.M;

/**
 * readDiskSizeMiB is the size of a disk with these partitions, in whole MiB: Azure takes no other (a size that
 * systemd-repart chooses is a multiple of 4 KiB only).
 * @throws image/spec-invalid when a definition does not say its size
 */
export async function readDiskSizeMiB(definitionsDir: string): Promise<number> {
  const names = (await readdir(definitionsDir)).filter((name) => name.endsWith('.conf'));
  const sizes = await Promise.all(names.map((name) => maxSize(join(definitionsDir, name))));
  return Math.ceil(sizes.reduce((sum, size) => sum + size, TABLES_BYTES) / UNIT_BYTES.M);
}

async function maxSize(path: string): Promise<number> {
  const match = /^SizeMaxBytes=(\d+)([KMG]?)$/m.exec(await readFile(path, 'utf8'));
  if (match) return Number(match[1]) * UNIT_BYTES[(match[2] ?? '') as keyof typeof UNIT_BYTES];
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${path}: it sets no SizeMaxBytes, expected the size of the partition`,
  );
}
