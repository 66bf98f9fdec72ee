import { type Block, facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatDuration } from '../output/units.ts';

interface Moment {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** bytesCell is a size; "<unknown>" when the node did not tell one. */
export function bytesCell(size: bigint | undefined): string {
  return size === undefined ? '<unknown>' : formatBytes(Number(size));
}

/** percentCell is a share of 0 to 1 in percent, with one digit where it matters: "0.4%", "12%". */
export function percentCell(share: number): string {
  const percent = share * 100;
  return `${percent.toFixed(percent >= 0.05 && percent < 9.95 ? 1 : 0)}%`;
}

/** ageCell is how long a moment is past; empty when the node told none. */
export function ageCell(moment: Moment | undefined, nowMs: number = Date.now()): string {
  return moment ? formatDuration(Math.max(nowMs - Number(moment.seconds) * 1000, 0)) : '';
}

/** ownerCell is the unit, else the pod something belongs to; the kernel has neither. */
export function ownerCell({ unit, podUid }: { readonly unit: string; readonly podUid: string }): string {
  return podUid === '' ? unit : `pod ${podUid}`;
}

/** notObservedBlock lists what is missing from an answer, and why; nothing when all of it is there. */
export function notObservedBlock(parts: readonly string[]): readonly Block[] {
  if (parts.length === 0) return [];
  return [facts(parts.map((part): [string, string] => ['not observed', printable(part)]))];
}

/** emptyText is what stands for an empty list: that there is nothing is said only where all was observed. */
export function emptyText(notObserved: readonly string[], nothing: string): string {
  return notObserved.length === 0 ? nothing : 'None seen; what could not be observed stands below.';
}

/** cutBlock says that there is more than is shown; nothing when there is not. */
export function cutBlock(shown: number, total: number, what: string): readonly Block[] {
  return total > shown ? [facts([[what, `${shown} of ${total} shown`]])] : [];
}
