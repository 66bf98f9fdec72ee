import { type Lane, momentMs } from '../objects/index.ts';
import type { StoredLedger, StoredPolicy } from '../view/view.ts';
import { amount, type Entry, entriesOf, isDown, isTainted, lostAfterMs, nodesOf, type Seen } from './seen.ts';
import { isClosed } from './window-rules.ts';

/** What a rule finds: its name and what it saw. */
export type Finding = readonly [rule: string, text: string];

const CRITICAL_SHARE = 20;
const CONTROL_PLANES = 'control-planes.fleet.plinth.dev';

export interface LedgerChange {
  readonly seen: Seen;
  readonly name: string;
  readonly before: StoredLedger | undefined;
  readonly after: StoredLedger | undefined;
  readonly nowMs: number;
  /** How long the operator may not have known what people and nodes did. */
  readonly lagMs: number;
}

/** auditLedger looks at slots that were given and taken back: S1–S4, S10, S12, S14. */
export function* auditLedger(change: LedgerChange): Generator<Finding> {
  const { seen, name, before, after } = change;
  const now = entriesOf(after);
  const nodes = new Set(now.map(({ node }) => node));
  if (nodes.size !== now.length) yield ['S13', `${name}: a node has two slots`];
  for (const entry of entriesOf(before)) {
    if (now.some(({ uid }) => uid === entry.uid)) continue;
    const node = seen.nodes.get(entry.node);
    if (entry.replaced && node?.uid !== entry.uid && !hasCome(seen, entry))
      yield ['S14', `${name}: the slot of ${entry.node} ended, and no Node came in its place`];
    if (node?.uid === entry.uid && isTainted(node))
      yield ['S4', `${name}: ${entry.node} lost its slot while it has our taint`];
  }
  const given = now.filter(
    ({ uid, since }) => !entriesOf(before).some((old) => old.uid === uid && old.since === since),
  );
  if (given.length === 0) return;
  const policies = [...seen.policies.values()].filter((policy) => ledgerOf(policy) === name);
  if (name === CONTROL_PLANES && now.length > 1)
    yield ['S3', `${name}: ${now.length} control planes have slots at once`];
  for (const policy of policies) yield* auditPolicy(change, policy, given);
}

/** Whether a Node that is well was made since the slot was marked; when its policy is gone nobody waits for one. */
function hasCome(seen: Seen, { rollout, replaced }: Entry): boolean {
  const policy = seen.policies.get(seen.rollouts.get(rollout)?.spec.policy ?? '');
  if (!policy || !replaced) return true;
  return nodesOf(seen, policy.spec).some(
    (node) => node.createdAtMs > momentMs(replaced.after) && !isDown(node),
  );
}

function ledgerOf({ name, spec }: StoredPolicy): string {
  return spec.role === 'ControlPlane' ? CONTROL_PLANES : name;
}

function* auditPolicy(
  { seen, after, nowMs, lagMs }: LedgerChange,
  policy: StoredPolicy,
  given: readonly Entry[],
): Generator<Finding> {
  const { capacity, topology } = policy.spec;
  const goneMs = lostAfterMs(policy.spec);
  const isLost = (name: string, uid: string) => {
    const progress = seen.updates.get(name)?.status?.progress;
    const hasSlot = entriesOf(after).some((entry) => entry.uid === uid);
    if (hasSlot) return progress?.phase === 'Unreachable' && nowMs - momentMs(progress.since) >= goneMs;
    const since = seen.downSinceMs.get(name);
    return since !== undefined && nowMs - since >= goneMs;
  };
  const nodes = nodesOf(seen, policy.spec).filter(({ name, uid }) => !isLost(name, uid));
  const uids = new Set(nodes.map(({ uid }) => uid));
  const entries = entriesOf(after).filter(({ uid }) => uids.has(uid));
  const mine = given.filter(({ uid }) => uids.has(uid));
  if (mine.length === 0) return;
  const others = nodes.filter(({ name, uid }) => {
    const since = seen.downSinceMs.get(name);
    return since !== undefined && nowMs - since >= lagMs && !entries.some((entry) => entry.uid === uid);
  });
  // Their Nodes are gone, and their places are still the pool's.
  const leaving = entriesOf(after).filter(
    ({ node, uid, rollout, replaced }) =>
      replaced !== undefined &&
      seen.nodes.get(node)?.uid !== uid &&
      seen.rollouts.get(rollout)?.spec.policy === policy.name,
  );
  const size = nodes.length + leaving.length;
  const away = entries.length + leaving.length + others.length;
  const most = mostAway(seen, policy, mine, size);
  if (away > most)
    yield ['S1', `${policy.name}: ${away} of ${size} nodes away or about to be, ${most} may be`];
  const least = amount(capacity.minAvailable, size, Math.ceil);
  if (size - away < least)
    yield ['S2', `${policy.name}: ${size - away} nodes stay available, ${least} have to`];
  const domains = new Map<string, number>();
  for (const { domain } of [...entries, ...leaving]) domains.set(domain, (domains.get(domain) ?? 0) + 1);
  // Canaries are exempt: one in each domain at most.
  if (domains.size > topology.domainsInFlight && [...domains.values()].some((count) => count > 1))
    yield ['S12', `${policy.name}: ${domains.size} failure domains in flight at once`];
  for (const entry of mine) {
    for (const stopped of [`policy/${policy.name}`, `rollout/${entry.rollout}`]) {
      const since = seen.stoppedSinceMs.get(stopped);
      if (since !== undefined && nowMs - since >= lagMs)
        yield ['S10', `${policy.name}: ${entry.node} got a slot while ${stopped} is stopped`];
    }
    const lane = seen.rollouts.get(entry.rollout)?.spec.lane;
    if (lane && wasClosed(seen, policy, lane, nowMs, lagMs))
      yield ['S10', `${policy.name}: ${entry.node} got a slot outside the windows`];
  }
}

/** Closed now, and before the operator could have been late. */
function wasClosed(seen: Seen, { spec }: StoredPolicy, lane: Lane, nowMs: number, lagMs: number): boolean {
  const windows = spec.windows.flatMap((name) => seen.windows.get(name)?.spec ?? []);
  // One that was not seen may open or close.
  if (windows.length < spec.windows.length) return false;
  const momentsMs = Number.isFinite(lagMs) ? [nowMs, nowMs - lagMs] : [];
  return momentsMs.length > 0 && momentsMs.every((atMs) => isClosed(windows, lane, atMs) === true);
}

function mostAway(seen: Seen, policy: StoredPolicy, given: readonly Entry[], nodes: number): number {
  const { maxUnavailable, allowSingleNode } = policy.spec.capacity;
  if (nodes === 1) return allowSingleNode ? 1 : 0;
  if (policy.spec.role === 'ControlPlane') return 1;
  const isCritical = given.some(({ rollout }) => seen.rollouts.get(rollout)?.spec.lane === 'Critical');
  const share =
    isCritical && typeof maxUnavailable === 'string'
      ? `${Math.max(CRITICAL_SHARE, Number.parseInt(maxUnavailable, 10))}%`
      : maxUnavailable;
  return Math.max(1, amount(share, nodes, Math.floor));
}
