import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';

/** How large the parts of one slot may be; all nodes installed with a layout keep it. */
export interface SlotSizes {
  readonly rootSizeBytes: number;
  readonly veritySizeBytes: number;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

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

async function maxSize(path: string): Promise<number> {
  const match = /^SizeMaxBytes=(\d+)([KMG]?)$/m.exec(await readFile(path, 'utf8'));
  if (match) return Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${path}: it sets no SizeMaxBytes, expected the size of the slot`,
  );
}
