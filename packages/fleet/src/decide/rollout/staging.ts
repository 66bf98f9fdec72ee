import { momentMs } from '../../objects/index.ts';
import { orderOf } from '../admit/order.ts';
import { countOf } from '../count.ts';
import type { Write } from '../decision.ts';
import { at } from '../node/node-case.ts';
import { withTarget } from '../node/target.ts';
import type { Look } from './look.ts';
import type { Member } from './pool.ts';
import { targetOf } from './wanted.ts';
import { waveState } from './waves.ts';

/** Most permits in one look; the next follows at once. */
const PERMIT_LIMIT = 100;
/** Canaries that are staged beyond those wanted, of each hardware class: one that cannot be emptied is replaced. */
const SPARE_CANARIES = 2;

/**
 * permits are the nodes that may stage the release now: no more at once than churn.maxStaging says, no further ahead than the
 * next wave (a bad release is not on every node before its canaries spoke), in the order in which they get slots.
 */
function permitsOf(look: Look): Member[] {
  const { view, policy, pool, wave, waves, slots, wanted } = look;
  if (!['Staging', 'Progressing', 'Soaking'].includes(look.phase)) return [];
  const counted = pool.members.filter(({ standing }) => standing !== 'lost');
  const most = Math.max(1, countOf(policy.spec.churn.maxStaging, counted.length, 'down'));
  const staging = counted.filter((member) => isStagingFor(member, look));
  const ready = counted.filter(({ standing }) => standing === 'staged' || standing === 'backing-off');
  const next = waveState(waves, Math.min(wave.index + 1, waves.length - 1), pool.members);
  const ahead = look.taken.begun + ready.length + staging.length;
  const room = Math.min(PERMIT_LIMIT, most - staging.length);
  const waiting = counted.filter(
    (member) =>
      member.standing === 'waiting' &&
      !isStagingFor(member, look) &&
      member.node.isReady &&
      !(member.progress?.nextTry !== undefined && momentMs(member.progress.nextTry) > view.nowMs),
  );
  if (room <= 0 || waiting.length === 0) return [];
  const domainsInFlight = new Set(slots.live.map(({ domain }) => domain));
  const ordered = orderOf(waiting, view, { rollout: wanted.rollout.name, domainsInFlight });
  const canaries = wave.roomByClass
    ? firstOfEachClass(ordered, [...ready, ...staging], wave.roomByClass)
    : [];
  const chosen = new Set(canaries);
  const others = ordered.filter((member) => !chosen.has(member));
  const upTo = Math.max(0, Math.min(room, Math.min(counted.length, 2 * next.upTo) - ahead));
  return [...canaries.slice(0, room), ...others].slice(0, Math.max(upTo, Math.min(room, canaries.length)));
}

function isStagingFor({ update, progress }: Member, { wanted }: Look): boolean {
  return progress?.phase === 'Staging' && update?.spec.target?.rollout === wanted.rollout.name;
}

function firstOfEachClass(
  ordered: readonly Member[],
  under: readonly Member[],
  room: ReadonlyMap<string, number>,
): Member[] {
  const left = new Map(
    [...room].map(([hardware, count]) => [hardware, count > 0 ? count + SPARE_CANARIES : 0]),
  );
  for (const { hardware } of under) left.set(hardware, (left.get(hardware) ?? 0) - 1);
  return ordered.filter(({ hardware }) => {
    const count = left.get(hardware) ?? 0;
    left.set(hardware, count - 1);
    return count > 0;
  });
}

/** The writes that give nodes their target with the permit to stage it. */
export function stagingWrites(look: Look): Write[] {
  const { wanted, view, release } = look;
  const target = targetOf(release, wanted.rollout.name, wanted.lane);
  return permitsOf(look).flatMap(({ update, report }) => {
    if (update === undefined) return [];
    const heard = { ...update, status: { ...update.status, ...(report && { node: report }) } };
    return [
      {
        do: 'node-update',
        at: at(update),
        ...withTarget(heard, target, 'Staging', view.nowMs),
      } as const,
    ];
  });
}
