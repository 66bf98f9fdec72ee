import type { Expiry } from '@plinth/publish';
import { type Block, table } from '../output/blocks.ts';

/** expiryTable shows until when the metadata of a repository count. */
export function expiryTable(expiries: readonly Expiry[], now = new Date()): Block {
  return table(
    [
      { header: 'METADATA', value: (row) => row.role },
      { header: 'VERSION', value: (row) => String(row.version), align: 'right' },
      { header: 'ENDS', value: (row) => row.expires },
      {
        header: 'STATE',
        value: (row) => (isOver(row, now) ? 'ended' : 'counts'),
        mark: (row, style) => (isOver(row, now) ? style.bad : style.good),
      },
    ],
    expiries,
  );
}

function isOver({ expires }: Expiry, now: Date): boolean {
  return Date.parse(expires) <= now.getTime();
}
