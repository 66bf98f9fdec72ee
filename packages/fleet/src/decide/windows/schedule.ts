import type { Lane, WindowSpec } from '../../objects/index.ts';
import type { FleetView, StoredPolicy } from '../../view/view.ts';
import { type Opening, openingsOf, type ReadWindow, readWindow } from './openings.ts';

const HOUR_MS = 3_600_000;
/** Openings are looked for this far ahead. */
const HORIZON_MS = 62 * 24 * HOUR_MS;

/** When the nodes of a policy may be disrupted in a lane. */
export interface Schedule {
  /** In order, from the one that is open now or opens next. */
  readonly openings: readonly Opening[];
  /** Windows that are missing or cannot be read: while there are any, nothing is open. */
  readonly problems: readonly string[];
  readonly isOpen: boolean;
  /** When `isOpen` changes next; undefined: not inside the horizon. */
  readonly changesAtMs: number | undefined;
}

/** What the windows of a policy say from now on. A window that cannot be read keeps everything closed: it may be a freeze. */
export function scheduleOf(
  view: FleetView,
  policy: StoredPolicy,
  lane: Lane,
  slotMs: number,
  horizonMs = HORIZON_MS,
): Schedule {
  const windows: ReadWindow[] = [];
  const problems: string[] = [];
  for (const name of policy.spec.windows) {
    const stored = view.windows.get(name);
    const read = stored === undefined ? 'there is none of this name' : readWindow(stored.spec);
    if (typeof read === 'string') problems.push(`MaintenanceWindow ${name}: ${read}`);
    else windows.push(read);
  }
  if (problems.length > 0) return { openings: [], problems, isOpen: false, changesAtMs: undefined };
  const { nowMs } = view;
  const openings = openingsOf(windows, lane, nowMs, nowMs + horizonMs, slotMs);
  const [first] = openings;
  const isOpen = first !== undefined && first.startMs <= nowMs && nowMs < first.lastStartMs;
  const isEnded = first !== undefined && first.lastStartMs <= nowMs;
  const changesAtMs = isOpen
    ? first.lastStartMs < nowMs + horizonMs
      ? first.lastStartMs
      : undefined
    : (isEnded ? openings[1] : first)?.startMs;
  return { openings, problems, isOpen, changesAtMs };
}

/** The next openings of one window alone that begin after a moment: what its status and previews show. */
export function nextOpenings(spec: WindowSpec, nowMs: number, count = 3): Opening[] | string {
  const read = readWindow(spec);
  if (typeof read === 'string') return read;
  const lane = spec.lanes[0] ?? 'Standard';
  const asAllow = { spec: { ...spec, kind: 'Allow' as const, lanes: [lane] }, cron: read.cron };
  for (const days of [8, 62, 400]) {
    const found = openingsOf([asAllow], lane, nowMs, nowMs + days * 24 * HOUR_MS, 0).filter(
      ({ startMs }) => startMs > nowMs,
    );
    if (found.length > count || days === 400) return found.slice(0, count);
  }
  return [];
}

/** Seconds of `openings` in which nodes can be begun with, between two moments. */
export function openSeconds(openings: readonly Opening[], fromMs: number, toMs: number): number {
  let sumMs = 0;
  for (const { startMs, lastStartMs } of openings)
    sumMs += Math.max(0, Math.min(lastStartMs, toMs) - Math.max(startMs, fromMs));
  return sumMs / 1000;
}

/** The moment at which `workSeconds` of open time have gone by; undefined: not inside the openings known. */
export function whenWorked(
  openings: readonly Opening[],
  fromMs: number,
  workSeconds: number,
): number | undefined {
  let leftMs = workSeconds * 1000;
  if (leftMs <= 0) return fromMs;
  for (const { startMs, lastStartMs } of openings) {
    const beginMs = Math.max(startMs, fromMs);
    const lengthMs = Math.max(0, lastStartMs - beginMs);
    if (leftMs <= lengthMs) return beginMs + leftMs;
    leftMs -= lengthMs;
  }
  return undefined;
}
