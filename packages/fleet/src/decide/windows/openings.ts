import { durationMs, type Lane, type WindowSpec } from '../../objects/index.ts';
import { type Cron, parseCron } from './cron.ts';
import { type Interval, mergeIntervals, subtractIntervals } from './intervals.ts';
import { cronStarts } from './starts.ts';

/** A window longer than this is cut: it is more likely a typing error than a window. */
const MAX_WINDOW_MS = 31 * 86_400_000;

/** Time in which nodes may be disrupted. */
export interface Opening extends Interval {
  /** No node is begun with at this moment or later: its slot would not fit before the end. */
  readonly lastStartMs: number;
}

/** A window that can be used, and one that cannot, with the reason. */
export interface ReadWindow {
  readonly spec: WindowSpec;
  readonly cron: Cron;
}

/** Reads a window; what is wrong with it, as text, where its schedule or its zone is none. */
export function readWindow(spec: WindowSpec): ReadWindow | string {
  const cron = parseCron(spec.schedule);
  if (typeof cron === 'string') return `schedule "${spec.schedule}": ${cron}`;
  if (durationMs(spec.duration) === 0) return 'its duration is nothing';
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(spec.timeZone);
  } catch {
    return `"${spec.timeZone}" is no time zone`;
  }
  return { spec, cron };
}

/** Whether a window says anything about a lane. Critical keeps, of all Deny, those that are hard. */
function isForLane(spec: WindowSpec, lane: Lane): boolean {
  return spec.lanes.includes(lane) || (spec.kind === 'Deny' && spec.hardDeny);
}

/**
 * When a lane is open between two moments: the union of its Allow windows without all its Deny windows; always, without
 * the Deny, where no Allow is for it. `slotMs` is how long one node takes (p90): no node is begun with when that, or the
 * cut-off of the window that ends the opening, would not fit.
 */
export function openingsOf(
  windows: readonly ReadWindow[],
  lane: Lane,
  fromMs: number,
  toMs: number,
  slotMs: number,
): Opening[] {
  const used = windows.filter(({ spec }) => isForLane(spec, lane));
  const cutoffAtMs = new Map<number, number>();
  const note = (atMs: number, spec: WindowSpec) =>
    cutoffAtMs.set(atMs, Math.max(cutoffAtMs.get(atMs) ?? 0, durationMs(spec.drainCutoff), slotMs));
  const allow: Interval[] = [];
  const deny: Interval[] = [];
  for (const { spec, cron } of used) {
    const lengthMs = Math.min(durationMs(spec.duration), MAX_WINDOW_MS);
    for (const startMs of cronStarts(cron, spec.timeZone, fromMs - lengthMs, toMs)) {
      const interval = { startMs, endMs: startMs + lengthMs };
      if (spec.kind === 'Allow') allow.push(interval);
      else deny.push(interval);
      note(spec.kind === 'Allow' ? interval.endMs : interval.startMs, spec);
    }
  }
  const isAlways = !used.some(({ spec }) => spec.kind === 'Allow');
  const open = isAlways ? [{ startMs: fromMs, endMs: toMs }] : mergeIntervals(allow);
  return subtractIntervals(open, deny)
    .filter(({ endMs }) => endMs > fromMs)
    .map(({ startMs, endMs }) => ({
      startMs,
      endMs,
      lastStartMs: Math.max(startMs, endMs - (cutoffAtMs.get(endMs) ?? 0)),
    }));
}
