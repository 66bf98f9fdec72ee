import { momentOf, type Reason, type RolloutStatus } from '../../objects/index.ts';
import { type Bound, smallest } from '../admit/bounds.ts';
import { deadlineRisk, etaOf } from '../admit/need.ts';
import { amount } from '../count.ts';
import { blockersOf } from './blockers.ts';
import { conditionsOf, type Wish } from './conditions.ts';
import type { Look } from './look.ts';
import type { Member, Standing } from './pool.ts';

/** Counts and estimates alone are not written more often. */
const QUIET_MS = 5000;
const MAX_NEED = 1_000_000;

const COUNTED: Readonly<Record<Standing, string>> = {
  done: 'Done',
  soaking: 'Soaking',
  'in-flight': 'InFlight',
  staged: 'Staged',
  'backing-off': 'BackingOff',
  waiting: 'Waiting',
  denied: 'Denied',
  held: 'Held',
  'no-way': 'NoWay',
  unknown: 'Unknown',
  lost: 'Lost',
};

/** How many nodes stand how; "Remaining" are those that can still be brought to the release. */
function countsOf({ pool, work }: Look): Record<string, number> {
  const counts: Record<string, number> = { Total: pool.members.length, Remaining: work.remaining };
  for (const name of Object.values(COUNTED)) counts[name] = 0;
  for (const { standing } of pool.members) {
    const name = COUNTED[standing];
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** How many nodes may be in flight now, and which bound says so. */
export function bindingOf({ room, pace, hold }: Look): { concurrency: number; bound: Bound | undefined } {
  const bound = smallest([...room.bounds, pace]);
  const value = Math.max(0, bound?.value ?? 0);
  return { concurrency: hold === undefined ? value : 0, bound };
}

/** How many nodes can be in flight once the waves let them: what the estimate goes by. */
export function steadyOf({ room, pace }: Look): number {
  return Math.max(0, smallest([...room.bounds.filter(({ isLasting }) => isLasting), pace])?.value ?? 0);
}

/** Nodes that are in service: no more can be in flight. */
export function inServiceOf(members: readonly Member[]): number {
  return members.filter(({ standing, isDown }) => !isDown && standing !== 'lost').length;
}

/** statusOf writes down a look. */
export function statusOf(look: Look): RolloutStatus {
  const { before, view, phase, place, halt, work, schedule, policy } = look;
  const now = momentOf(view.nowMs);
  const { concurrency, bound } = bindingOf(look);
  const isActive = !['Complete', 'Stopped', 'Superseded'].includes(phase);
  const risk = deadlineRisk(look.room.bounds, look.need, work, schedule, policy.spec.pace.utilisation, {
    lane: look.wanted.lane,
    nodes: inServiceOf(look.pool.members),
  });
  const isLate = isActive && work.remaining > 0 && view.nowMs > work.deadlineMs;
  const atRisk = { isAtRisk: isActive && (risk.isAtRisk || isLate), advice: risk.advice };
  const eta = isActive ? etaOf(work, steadyOf(look), schedule) : undefined;
  const held = look.hold;
  const blockers = isActive ? blockersOf(look) : [];
  return {
    phase,
    since: before.phase === phase ? before.since : now,
    observedAt: now,
    startedAt: before.startedAt,
    deadline: before.deadline,
    wave: place.wave,
    waveStartedAt: place.startedAt,
    ...(place.fullAt !== undefined && { waveFullAt: place.fullAt }),
    counts: countsOf(look),
    ...(isActive && { bound: boundText(look, held, bound, atRisk.advice) }),
    concurrency,
    ...(eta !== undefined && { etaSeconds: eta }),
    slotSeconds: [...look.slotSeconds],
    failures: look.failures,
    ...(halt !== undefined && {
      halt,
      haltedAt: before.halt?.code === halt.code ? (before.haltedAt ?? now) : now,
    }),
    blockers,
    conditions: conditionsOf(
      before.conditions,
      wishes(look, atRisk, blockers),
      view.nowMs,
      look.wanted.rollout.generation,
    ),
  };
}

function boundText(look: Look, hold: Reason | undefined, bound: Bound | undefined, advice: string) {
  const need = Math.min(look.need, MAX_NEED);
  if (hold !== undefined)
    return {
      name: hold.code,
      value: 0,
      need,
      advice: `${hold.text}${advice ? `; ${advice}` : ''}`.slice(0, 1024),
    };
  const value = Math.max(0, Math.min(bound?.value ?? 0, MAX_NEED));
  return { name: bound?.name ?? '', value, need, advice: (advice || (bound?.reason ?? '')).slice(0, 1024) };
}

function wishes(
  look: Look,
  risk: { isAtRisk: boolean; advice: string },
  blockers: RolloutStatus['blockers'],
) {
  const { phase, gate, failures, pool, slots, room, halt } = look;
  const capacity = smallest(
    room.bounds.filter(({ name }) => name === 'maxUnavailable' || name === 'minAvailable'),
  );
  const isExhausted = capacity !== undefined && capacity.value <= 0 && slots.live.length === 0;
  const drains = blockers.filter(({ reason }) => reason.code.startsWith('drain/'));
  const denied = pool.members.filter(({ standing }) => standing === 'denied').length;
  const active = ['Staging', 'Progressing', 'Soaking', 'RollingBack'].includes(phase);
  return [
    ...signedWish(look),
    { type: 'Progressing', status: active, reason: phase, message: look.hold?.text ?? halt?.text ?? '' },
    {
      ...{ type: 'DeadlineAtRisk', status: risk.isAtRisk, message: risk.isAtRisk ? risk.advice : '' },
      reason: risk.isAtRisk ? 'NeedAboveBounds' : 'InTime',
    },
    {
      ...{ type: 'CapacityExhausted', status: isExhausted, message: isExhausted ? capacity.reason : '' },
      reason: isExhausted ? 'OthersAreDown' : 'Available',
    },
    {
      ...{ type: 'DrainBlocked', status: drains.length > 0, reason: drains.length > 0 ? 'Blocked' : 'Free' },
      message: drains.map(({ node, reason }) => `${node}: ${reason.text}`).join('; '),
    },
    {
      ...{ type: 'GateFailing', status: gate !== undefined, message: gate?.text ?? '' },
      reason: gate === undefined ? 'Passing' : gate.code === 'gate/failing' ? 'Failing' : 'Unknown',
    },
    {
      ...{ type: 'Degraded', status: denied + failures.length > 0 },
      reason: denied + failures.length > 0 ? 'NodesFailed' : 'NoFailures',
      message: `${amount(failures.length, 'failure')}, ${amount(denied, 'node')} kept off the release`,
    },
  ];
}

/** What the signed metadata say of the release by when; only of one that names its channel. */
function signedWish({ view, release }: Look): Wish[] {
  if (!release.spec.channel) return [];
  const signed = view.signedDeadlines?.get(release.name);
  const type = 'SignedDeadline';
  if (signed?.is === 'said')
    return [{ type, status: true, reason: 'Said', message: `by ${momentOf(signed.byMs)}: ${signed.reason}` }];
  if (signed?.is === 'none') return [{ type, status: false, reason: 'NoneSaid' }];
  return [
    { type, status: undefined, reason: 'NotRead', message: signed?.text ?? 'its channel was not asked yet' },
  ];
}

/** Whether a status has to be written: at once when it says something new, seldom when only numbers moved. */
export function isWorthWriting(before: RolloutStatus, after: RolloutStatus, nowMs: number): boolean {
  if (JSON.stringify(weighty(before)) !== JSON.stringify(weighty(after))) return true;
  const { observedAt: _a, ...old } = before;
  const { observedAt: _b, ...now } = after;
  const atMs = Date.parse(before.observedAt ?? '');
  return JSON.stringify(old) !== JSON.stringify(now) && !(nowMs - atMs < QUIET_MS);
}

/** What nobody should wait for. */
function weighty({
  phase,
  wave,
  waveFullAt,
  halt,
  failures,
  slotSeconds,
  conditions,
  startedAt,
  deadline,
}: RolloutStatus) {
  const said = conditions.map(({ type, status }) => [type, status]);
  return [phase, wave, waveFullAt, halt?.code, failures.length, slotSeconds, said, startedAt, deadline];
}
