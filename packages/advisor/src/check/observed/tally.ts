import type { Sightings } from '../report/finding.ts';
import type { AttributedRefusal } from './refusal.ts';

/** Refusals that are one thing: how many, when, where. */
export interface Tally {
  count: number;
  enforced: number;
  firstMs: number;
  lastMs: number;
  readonly nodes: Set<string>;
}

/** emptyTally is nothing seen. */
export function emptyTally(): Tally {
  return { count: 0, enforced: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0, nodes: new Set() };
}

/** addTo counts a refusal in, and gives the same tally. */
export function addTo(tally: Tally, { timeMs, enforced }: AttributedRefusal, node: string): Tally {
  tally.count++;
  if (enforced) tally.enforced++;
  tally.firstMs = Math.min(tally.firstMs, timeMs);
  tally.lastMs = Math.max(tally.lastMs, timeMs);
  tally.nodes.add(node);
  return tally;
}

/** sightings are a tally for a finding. */
export function sightings({ count, enforced, firstMs, lastMs, nodes }: Tally): Sightings {
  return {
    ran: true,
    count,
    enforced,
    first: isoTime(firstMs),
    last: isoTime(lastMs),
    nodes: [...nodes].sort(),
  };
}

/** seenText says what was seen: "seen 2 times on n1, last …". */
export function seenText({ count, enforced, lastMs, nodes }: Tally): string {
  const times = `seen ${count} ${count === 1 ? 'time' : 'times'} on ${[...nodes].sort().slice(0, 3).join(', ')}${nodes.size > 3 ? ` and ${nodes.size - 3} more` : ''}`;
  const letThrough = count - enforced;
  const logged =
    letThrough === 0
      ? ''
      : letThrough === count
        ? ', let through and only logged'
        : `, ${letThrough} of them only logged`;
  return `${times}, last ${isoTime(lastMs)}${logged}`;
}

/** spanText is a span of time for people: "2 h 10 min". */
export function spanText(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown time';
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** isoTime is RFC 3339. Times come from a node; one that is none is told as the beginning of time. */
export function isoTime(ms: number): string {
  return new Date(Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString();
}
