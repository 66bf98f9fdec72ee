import { durationMs, momentMs, momentOf } from '../objects/index.ts';
import type { FleetView, StoredPolicy } from '../view/view.ts';
import type { Decision, Write } from './decision.ts';
import { at } from './node/node-case.ts';
import { adoptingWrites, farewellWrites, unmarkingWrites } from './rollout/handover.ts';
import { type Look, lookAt } from './rollout/look.ts';
import { outdatedWrites } from './rollout/outdated.ts';
import { policyStatusOf } from './rollout/policy-status.ts';
import { ledgerNameOf, type Pool, poolOf } from './rollout/pool.ts';
import { nextLedger, slotsOf } from './rollout/slots.ts';
import { stagingWrites } from './rollout/staging.ts';
import { newRollout, startOf } from './rollout/start.ts';
import { isWorthWriting, statusOf } from './rollout/status.ts';
import { isEnded, rolloutsOf, type Wanted, wantedOf } from './rollout/wanted.ts';

/** NodeUpdates made in one look. */
const CREATE_LIMIT = 200;
/** After so many writes there may be more that did not fit into one look. */
const MANY_WRITES = 50;
const SOON_MS = 1000;
/** While a rollout runs it is looked at this often, whatever happens. */
const LOOK_MS = 30_000;

/**
 * decidePolicy is one look at a policy: its rollouts, its ledger, and which nodes get a target and the permit to stage it.
 * Nothing is decided before all lists were read. What it is decided on stands in each write, so of two operators that see
 * the same free slot one fails (S13).
 */
export function decidePolicy(view: FleetView, policyName: string): Decision {
  const policy = view.policies.get(policyName);
  if (!view.isSynced) return { writes: [], calls: [], lookAgainAtMs: undefined };
  if (policy === undefined)
    return { writes: farewellWrites(view, policyName), calls: [], lookAgainAtMs: undefined };
  const wanted = wantedOf(view, policy);
  const rollout = wanted?.rollout;
  const look =
    wanted !== undefined && rollout !== undefined
      ? lookAt(view, policy, { ...wanted, rollout }, startOf(view, policy, wanted, rollout))
      : undefined;
  const pool = look?.pool ?? poolOf(view, policy, undefined);
  const writes: Write[] = [
    ...policyWrites(view, policy, wanted, pool),
    ...supersededWrites(view, policy, wanted),
    ...creatingRollout(view, policy, wanted),
    ...(look ? rolloutWrites(look) : []),
    ...ledgerWrites(view, policy, look),
    ...creatingNodeUpdates(view, policy, pool),
    ...adoptingWrites(view, policy, pool),
    ...(look ? [...stagingWrites(look), ...outdatedWrites(look)] : []),
    ...unmarkingWrites(view, policy.name, wanted && pool),
  ];
  return {
    writes,
    calls: [],
    lookAgainAtMs: writes.length >= MANY_WRITES ? view.nowMs + SOON_MS : lookAgainAt(view, look),
    ...(look && look.admitted.lookAtPods.length > 0 && { lookAtPods: look.admitted.lookAtPods }),
  };
}

function policyWrites(
  view: FleetView,
  policy: StoredPolicy,
  wanted: Wanted | undefined,
  pool: Pool,
): Write[] {
  const status = policyStatusOf(policy, wanted, pool, view.nowMs);
  if (JSON.stringify(policy.status) === JSON.stringify(status)) return [];
  return [{ do: 'policy-status', at: at(policy), status }];
}

function creatingRollout(view: FleetView, policy: StoredPolicy, wanted: Wanted | undefined): Write[] {
  if (wanted === undefined || wanted.rollout !== undefined) return [];
  if (wanted.release.spec.blocked || policy.spec.paused) return [];
  return [{ do: 'create-rollout', ...newRollout(policy, wanted, view) }];
}

/** Rollouts of the policy that are not wanted any more end: their nodes that are not admitted get the new target. */
function supersededWrites(view: FleetView, policy: StoredPolicy, wanted: Wanted | undefined): Write[] {
  const isNothing = policy.spec.release === '';
  if (wanted === undefined && !isNothing) return [];
  return rolloutsOf(view, policy.name).flatMap((rollout) => {
    const { status } = rollout;
    if (rollout.spec.release === wanted?.release.name || status === undefined || isEnded(rollout)) return [];
    const phase = isNothing ? 'Stopped' : 'Superseded';
    return [
      {
        do: 'rollout-status',
        at: at(rollout),
        status: { ...status, phase, since: momentOf(view.nowMs) },
      } as const,
    ];
  });
}

function rolloutWrites(look: Look): Write[] {
  const { wanted, before, view, phase } = look;
  const { rollout } = wanted;
  const status = statusOf(look);
  const writes: Write[] = [];
  if (rollout.spec.lane !== wanted.lane)
    writes.push({ do: 'rollout-spec', at: at(rollout), spec: { ...rollout.spec, lane: wanted.lane } });
  // What the API server gives back after the first write is what the second is decided on: it follows in the next look.
  else if (rollout.status === undefined || isWorthWriting(rollout.status, status, view.nowMs))
    writes.push({ do: 'rollout-status', at: at(rollout), status });
  if (before.phase !== phase)
    writes.push({
      do: 'event',
      on: { kind: 'Rollout', name: rollout.name, uid: rollout.uid },
      type: phase === 'Halted' || phase === 'RollingBack' ? 'Warning' : 'Normal',
      reason: `Rollout${phase}`,
      message: (look.halt?.text ?? `${wanted.release.name}: ${before.phase} → ${phase}`).slice(0, 1024),
    });
  return writes;
}

function ledgerWrites(view: FleetView, policy: StoredPolicy, look: Look | undefined): Write[] {
  const slots = look?.slots ?? slotsOf(view, policy);
  if (slots.ledger === undefined) return [{ do: 'create-ledger', name: ledgerNameOf(policy) }];
  const status = nextLedger(slots, look?.admitted.members ?? [], look?.wanted.rollout.name ?? '', view.nowMs);
  if (status === undefined) return [];
  return [...slots.proofs, { do: 'ledger', at: at(slots.ledger), status }];
}

function creatingNodeUpdates(view: FleetView, policy: StoredPolicy, { members }: Pool): Write[] {
  return members
    .filter(({ node }) => !view.nodeUpdates.has(node.name) && !node.isDeleting)
    .slice(0, CREATE_LIMIT)
    .map(({ node }) => ({
      do: 'create-node-update',
      name: node.name,
      spec: { nodeUid: node.uid, policy: policy.name },
    }));
}

function lookAgainAt(view: FleetView, look: Look | undefined): number | undefined {
  if (look === undefined) return undefined;
  const moments = [look.schedule.changesAtMs];
  if (look.place.fullAt !== undefined)
    moments.push(momentMs(look.place.fullAt) + durationMs(look.waves[look.place.wave]?.soak ?? '0s'));
  for (const { standing, progress } of look.pool.members)
    if (standing === 'backing-off' && progress?.nextTry) moments.push(momentMs(progress.nextTry));
  const isRunning = !['Complete', 'Stopped', 'Halted'].includes(look.phase);
  if (isRunning) moments.push(view.nowMs + LOOK_MS);
  const coming = moments.filter((atMs) => atMs !== undefined && atMs > view.nowMs);
  return coming.length === 0 ? undefined : Math.min(...(coming as number[]));
}
