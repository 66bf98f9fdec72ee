import { levelOf } from '../judge/index.ts';
import type { Finding } from '../model/index.ts';
import type { AdvisoryPolicy } from './policy.ts';

/**
 * What is done about a finding. `contain`: a policy that takes the way in away, minutes, no reboot. `hot-layer`: a signed
 * layer over the running image, hours, no reboot. `out-of-band-image`: an image as soon as it is tested. `next-image`:
 * with the weekly one. `triage`: nobody can tell yet. `wait`: no fix exists and nothing is urgent.
 */
export type Action =
  | 'contain'
  | 'hot-layer'
  | 'out-of-band-image'
  | 'next-image'
  | 'triage'
  | 'wait'
  | 'none';

/** A clock that runs; instants are ISO 8601. */
export interface Clock {
  readonly from: 'fix-available' | 'seen';
  readonly startedAt: string;
  readonly dueAt: string;
  readonly state: 'running' | 'due-soon' | 'breached';
  readonly elapsedMs: number;
}

export interface Decision {
  readonly id: string;
  readonly action: Action;
  /** One sentence: which rule of the policy. */
  readonly reason: string;
  /** Which target counts: "exploited", "high", …; absent when no clock runs. */
  readonly target?: keyof AdvisoryPolicy['targetsHours'] | 'triage';
  readonly clock?: Clock;
}

const HOUR_MS = 3_600_000;

/** decide applies a policy to a finding at an instant; pure. */
export function decide(finding: Finding, policy: AdvisoryPolicy, now: Date): Decision {
  const { id } = finding.vulnerability;
  if (finding.verdict === 'fixed' || finding.verdict === 'not-affected') {
    return { id, action: 'none', reason: `it is ${finding.verdict}` };
  }
  if (finding.verdict === 'unknown') {
    const clock = clockOf('seen', finding.clocks.seenAt, policy.triageHours, policy, now);
    return {
      id,
      action: 'triage',
      reason: 'it must be known whether it is open',
      target: 'triage',
      ...(clock ? { clock } : {}),
    };
  }
  const target = targetOf(finding);
  const urgent = target === 'exploited' || target === 'critical' || target === 'high';
  const hasFix = finding.components.some(({ fixVersion }) => fixVersion !== undefined);
  const kernel = finding.components.some(({ name }) => name === 'linux');
  const allowed = policy.targetsHours[target];
  const clock = hasFix
    ? clockOf('fix-available', finding.clocks.fixAvailableAt, allowed, policy, now)
    : clockOf('seen', urgent ? finding.clocks.seenAt : undefined, allowed, policy, now);
  return { id, target, ...actionOf(target, { urgent, hasFix, kernel }), ...(clock ? { clock } : {}) };
}

/** targetOf names the target a finding falls under: attacks first, then the worst severity any source names. */
export function targetOf(finding: Finding): keyof AdvisoryPolicy['targetsHours'] {
  if (finding.knownExploited) return 'exploited';
  const level = levelOf(finding);
  return level === 'none' ? 'low' : level;
}

function actionOf(
  target: string,
  {
    urgent,
    hasFix,
    kernel,
  }: { readonly urgent: boolean; readonly hasFix: boolean; readonly kernel: boolean },
): Pick<Decision, 'action' | 'reason'> {
  if (!hasFix) {
    return urgent
      ? { action: 'contain', reason: `${target}, and no fix exists` }
      : { action: 'wait', reason: 'no fix exists, and nothing makes it urgent' };
  }
  if (!urgent) return { action: 'next-image', reason: `${target}: with the next image` };
  if (!kernel)
    return {
      action: 'hot-layer',
      reason: `${target}, outside of the kernel: a layer over the running image`,
    };
  if (target === 'exploited')
    return { action: 'contain', reason: 'used in attacks on the kernel: contain it, then an image' };
  return { action: 'out-of-band-image', reason: `${target}, in the kernel: an image of its own` };
}

function clockOf(
  from: Clock['from'],
  startedAt: string | undefined,
  allowedHours: number,
  { warnAt }: AdvisoryPolicy,
  now: Date,
): Clock | undefined {
  if (startedAt === undefined) return undefined;
  const startMs = Date.parse(startedAt);
  const allowedMs = allowedHours * HOUR_MS;
  const elapsedMs = Math.max(0, now.getTime() - startMs);
  const state = elapsedMs > allowedMs ? 'breached' : elapsedMs > allowedMs * warnAt ? 'due-soon' : 'running';
  return { from, startedAt, dueAt: new Date(startMs + allowedMs).toISOString(), state, elapsedMs };
}
