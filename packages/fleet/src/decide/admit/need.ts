import type { Lane, PolicySpec } from '../../objects/index.ts';
import { amount, percentile } from '../count.ts';
import { openSeconds, type Schedule, whenWorked } from '../windows/index.ts';
import { type Bound, smallest } from './bounds.ts';

/** What a slot is taken to last until some were measured. */
const FIRST_SLOT_SECONDS = 600;
/** Slots that have to be measured before what was measured is believed. */
const MIN_SLOTS = 3;

/** p90 of the slot times measured, in seconds. */
export function slotP90(slotSeconds: readonly number[]): number {
  if (slotSeconds.length < MIN_SLOTS) return Math.max(FIRST_SLOT_SECONDS, ...slotSeconds);
  return Math.max(1, percentile(slotSeconds, 0.9) ?? FIRST_SLOT_SECONDS);
}

/** The work that is left, and the time there is for it. */
export interface Work {
  readonly remaining: number;
  readonly slotSeconds: number;
  readonly soakSeconds: number;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly deadlineMs: number;
}

/** How many nodes would have to be in flight at once for the deadline; Infinity where no number suffices. */
export function needOf(work: Work, schedule: Schedule, utilisationPercent: number): number {
  if (work.remaining === 0) return 0;
  const seconds = openSeconds(schedule.openings, work.nowMs, work.deadlineMs) - work.soakSeconds;
  if (seconds <= 0) return Number.POSITIVE_INFINITY;
  return Math.ceil((work.remaining * work.slotSeconds) / seconds / (utilisationPercent / 100));
}

/** Nodes in flight that what was seen so far is trusted for: one more for each good node and factor, less after failures. */
export function rampOf({ ramp }: PolicySpec, good: number, failures: number): number {
  const grown = 1 + good * (ramp.factor - 1);
  return Math.max(1, Math.floor(grown * ramp.onFailure ** failures));
}

/** The bound that the pace sets; Fastest has none. */
export function paceBound(policy: PolicySpec, need: number, good: number, failures: number): Bound {
  const { mode } = policy.pace;
  const ramp = rampOf(policy, good, failures);
  const atLeast = Math.max(1, need);
  const value =
    mode === 'Fastest' ? Number.POSITIVE_INFINITY : mode === 'Gentle' ? atLeast : Math.max(atLeast, ramp);
  return {
    name: 'pace',
    value,
    isLasting: false,
    reason:
      mode === 'Gentle'
        ? 'pace Gentle: no more at once than the deadline asks for'
        : `pace Balanced: ${ramp} at once after ${amount(good, 'good node')} and ${amount(failures, 'failure')}`,
    adviceFor: () => 'pace.mode: Fastest',
  };
}

/** Whether a deadline can be kept, and what would have to be set so that it could. */
export interface DeadlineRisk {
  readonly isAtRisk: boolean;
  readonly advice: string;
}

/** deadlineRisk holds the need against the bounds that stay; it names the smallest, and each setting that would suffice. `nodes`: those in service. */
export function deadlineRisk(
  bounds: readonly Bound[],
  need: number,
  work: Work,
  schedule: Schedule,
  utilisationPercent: number,
  { lane, nodes }: { readonly lane: Lane; readonly nodes: number },
): DeadlineRisk {
  const lasting = bounds.filter(({ isLasting }) => isLasting);
  const least = smallest(lasting);
  if (least === undefined || need <= least.value) return { isAtRisk: false, advice: '' };
  const hours = hoursThatSuffice(least.value, work, schedule, utilisationPercent);
  const orLater =
    hours === undefined
      ? `no deadline suffices with ${amount(Math.max(0, least.value), 'node')} at once in these windows`
      : `pace.deadlineHours.${lane}: ${hours}`;
  if (need === Number.POSITIVE_INFINITY)
    return {
      isAtRisk: true,
      advice: `no time is open before the deadline after ${Math.ceil(work.soakSeconds)} s of soak; would suffice: ${orLater}, or more windows`,
    };
  const settings = lasting.filter(({ value }) => value < need).map(({ adviceFor }) => adviceFor(need));
  // More at once than there are is no advice.
  const together = need <= nodes ? `${settings.join(' and ')}; or ` : '';
  return {
    isAtRisk: true,
    advice: `the deadline needs ${amount(need, 'node')} at once, ${least.name} allows ${Math.max(0, least.value)} (${least.reason}); would suffice: ${together}${orLater}`,
  };
}

/** Hours from the start of the rollout after which the work would be done with so many at once; undefined: not inside the openings known. */
function hoursThatSuffice(
  concurrency: number,
  work: Work,
  schedule: Schedule,
  utilisationPercent: number,
): number | undefined {
  if (concurrency < 1) return undefined;
  const seconds =
    (work.remaining * work.slotSeconds) / (concurrency * (utilisationPercent / 100)) + work.soakSeconds;
  const doneMs = whenWorked(schedule.openings, work.nowMs, seconds);
  return doneMs === undefined ? undefined : Math.ceil((doneMs - work.startedMs) / 3_600_000);
}

/** Seconds from now until all is done with so many at once, over the windows; undefined: not in sight. */
export function etaOf(work: Work, concurrency: number, schedule: Schedule): number | undefined {
  if (work.remaining === 0) return 0;
  if (concurrency < 1) return undefined;
  const seconds = (work.remaining * work.slotSeconds) / concurrency + work.soakSeconds;
  const doneMs = whenWorked(schedule.openings, work.nowMs, seconds);
  return doneMs === undefined ? undefined : Math.round((doneMs - work.nowMs) / 1000);
}
