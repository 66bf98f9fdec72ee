import type { CountOrPercent } from '../objects/index.ts';

/** countOf is a number of nodes, or a share of `total`, rounded as asked; never more than there are. */
export function countOf(value: CountOrPercent, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return Math.min(value, total);
  // In whole numbers: 0.07 * 100 is not 7.
  const hundredths = Number(value.slice(0, -1)) * total;
  return round === 'up' ? Math.ceil(hundredths / 100) : Math.floor(hundredths / 100);
}

/** percentile of unordered values, 0 < share ≤ 1, by nearest rank; undefined of none. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** orderHash gives a text a place that has nothing to do with its name, the same everywhere: FNV-1a, then mixed (32 bits). */
export function orderHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** amount writes a number with its noun: "1 node", "2 nodes". */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
