import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CountOrPercent } from '../objects/index.ts';
import { type Script, ScriptedFleet } from '../testing/scripted-fleet.ts';
import type { FleetView, NodeView, PodView } from '../view/view.ts';
import type { Write } from './decision.ts';

/** What happens beside the rollout, at random. */
interface Happening {
  readonly after: number;
  readonly what: 'cordon' | 'uncordon' | 'die' | 'return' | 'pause' | 'resume' | 'halt' | 'delete' | 'budget';
  readonly index: number;
}

interface Case {
  readonly nodes: number;
  readonly zones: number;
  readonly maxUnavailable: CountOrPercent;
  readonly minAvailable: CountOrPercent;
  readonly domainsInFlight: number;
  readonly mode: 'Gentle' | 'Balanced' | 'Fastest';
  readonly hasWindow: boolean;
  readonly allowSingleNode: boolean;
  readonly fates: readonly Script['fate'][];
  readonly happenings: readonly Happening[];
}

const share = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 60 }).map((percent) => `${percent}%`),
);
const cases: fc.Arbitrary<Case> = fc.record({
  nodes: fc.integer({ min: 1, max: 24 }),
  zones: fc.integer({ min: 1, max: 4 }),
  maxUnavailable: share,
  minAvailable: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 90 }).map((percent) => `${percent}%`),
  ),
  domainsInFlight: fc.integer({ min: 1, max: 3 }),
  mode: fc.constantFrom('Gentle' as const, 'Balanced' as const, 'Fastest' as const),
  hasWindow: fc.boolean(),
  allowSingleNode: fc.boolean(),
  fates: fc.array(
    fc.constantFrom('good' as const, 'good' as const, 'good' as const, 'yields' as const, 'fails' as const),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
  happenings: fc.array(
    fc.record({
      after: fc.integer({ min: 1, max: 40 }),
      what: fc.constantFrom(
        ...(['cordon', 'uncordon', 'die', 'return', 'pause', 'resume', 'halt', 'delete', 'budget'] as const),
      ),
      index: fc.nat(23),
    }),
    { maxLength: 12 },
  ),
});

function pod(node: string, app: string): PodView {
  return {
    ...{
      namespace: 'default',
      name: `${app}-${node}`,
      uid: `${app}-${node}`,
      labels: { app },
      annotations: {},
    },
    ...{
      controllerKind: 'ReplicaSet',
      phase: 'Running',
      isReady: true,
      isDeleting: false,
      hasEmptyDir: false,
    },
    graceSeconds: 30,
  };
}

function fleetOf(one: Case): ScriptedFleet {
  const fleet = new ScriptedFleet(Date.UTC(2026, 5, 1, 21));
  for (let index = 0; index < one.nodes; index += 1) {
    const name = `node-${index}`;
    fleet.scripts.set(name, {
      slotSeconds: 240 + 60 * (index % 4),
      fate: one.fates[index % one.fates.length] ?? 'good',
    });
    fleet.addNode({
      name,
      labels: {
        'topology.kubernetes.io/zone': `zone-${index % one.zones}`,
        'node.kubernetes.io/instance-type': `type-${index % 2}`,
      },
      pods: [pod(name, `app-${index % 3}`)],
    });
  }
  for (const app of [0, 1, 2])
    fleet.server.put('budget', `app-${app}`, () => ({
      ...{ namespace: 'default', name: `app-${app}`, disruptionsAllowed: 1 + app },
      selector: { matchLabels: { app: `app-${app}` }, matchExpressions: [] },
    }));
  if (one.hasWindow)
    fleet.addWindow('nights', { kind: 'Allow', schedule: '0 22 * * *', duration: '6h', drainCutoff: '20m' });
  fleet.addRelease('2');
  fleet.addPolicy('workers', {
    release: '2',
    capacity: {
      maxUnavailable: one.maxUnavailable,
      minAvailable: one.minAvailable,
      allowSingleNode: one.allowSingleNode,
    },
    topology: { domainsInFlight: one.domainsInFlight },
    pace: { mode: one.mode },
    windows: one.hasWindow ? ['nights'] : [],
    waves: [
      { name: 'canary', perClass: 1, soak: '10m' },
      { upTo: '25%', soak: '10m' },
      { upTo: '100%', soak: '0s' },
    ],
    failureBudget: { absolute: 6, canary: 2 },
  });
  return fleet;
}

function happen(fleet: ScriptedFleet, { what, index }: Happening, nodes: number): void {
  const name = `node-${index % nodes}`;
  const change = (to: Partial<NodeView>) => fleet.server.change('node', name, () => to);
  if (what === 'cordon') change({ isUnschedulable: true });
  if (what === 'uncordon') change({ isUnschedulable: false });
  if (what === 'die') change({ isReady: false, readySinceMs: fleet.nowMs });
  if (what === 'return') change({ isReady: true, readySinceMs: fleet.nowMs });
  if (what === 'pause') fleet.setPolicy('workers', { paused: true });
  if (what === 'resume') fleet.setPolicy('workers', { paused: false });
  if (what === 'budget')
    fleet.server.change('budget', `app-${index % 3}`, () => ({ disruptionsAllowed: index % 2 }));
  const rollout = fleet.rollout('2');
  if (what === 'halt' && rollout)
    fleet.server.change('rollout', rollout.name, ({ spec }) => ({
      spec: { ...spec, halt: spec.halt === '' ? 'a person said so' : '' },
    }));
  if (what === 'delete') {
    fleet.server.remove('node', name);
    fleet.server.remove('nodeUpdate', name);
  }
}

const rounded = (value: CountOrPercent, nodes: number, round: (value: number) => number) =>
  typeof value === 'number' ? value : round((Number(value.slice(0, -1)) * nodes) / 100);

/** Holds what a ledger is about to become against the rules, worked out from the nodes alone. */
function check(one: Case, write: Extract<Write, { do: 'ledger' }>, view: FleetView): void {
  const before = view.ledgers.get('workers')?.status?.entries ?? [];
  const after = write.status.entries;
  const added = after.filter(({ uid }) => !before.some((entry) => entry.uid === uid));
  assert.equal(new Set(after.map(({ uid }) => uid)).size, after.length, 'one slot for one node');
  for (const { node, uid } of after)
    assert.equal(view.nodes.get(node)?.uid, uid, 'S14: an entry is of a live Node');
  if (added.length === 0) return;
  const hour = new Date(view.nowMs).getUTCHours() * 60 + new Date(view.nowMs).getUTCMinutes();
  const isOpen = !one.hasWindow || hour >= 22 * 60 || hour < 4 * 60 - 20;
  assert.ok(isOpen, `S10: admission at ${new Date(view.nowMs).toISOString()}`);
  assert.ok(!view.policies.get('workers')?.spec.paused, 'S10: admission while paused');
  const rollout = [...view.rollouts.values()][0];
  assert.equal(rollout?.spec.halt, '', 'S10: admission while halted');
  const lostMs = 3_600_000;
  const taken = new Set(after.map(({ uid }) => uid));
  const counted = [...view.nodes.values()].filter(
    ({ uid, isReady, readySinceMs }) => taken.has(uid) || isReady || view.nowMs - readySinceMs < lostMs,
  );
  const down = counted.filter(
    ({ uid, isReady, isUnschedulable }) => !taken.has(uid) && (!isReady || isUnschedulable),
  );
  const unavailable = after.length + down.length;
  const most =
    counted.length === 1
      ? Number(one.allowSingleNode)
      : Math.max(1, rounded(one.maxUnavailable, counted.length, Math.floor));
  assert.ok(unavailable <= most, `S1: ${unavailable} unavailable of ${counted.length}, ${most} may be`);
  const least = rounded(one.minAvailable, counted.length, Math.ceil);
  assert.ok(
    counted.length - unavailable >= least,
    `S2: ${counted.length - unavailable} available, ${least} have to be`,
  );
  const zones = new Set(after.map(({ domain }) => domain));
  assert.ok(zones.size <= one.domainsInFlight, `S12: ${[...zones]} in flight together`);
  for (const { domain } of added) {
    const inZone = (node: NodeView) => node.labels['topology.kubernetes.io/zone'] === domain;
    const all = counted.filter(inZone).length;
    const out = after.filter((entry) => entry.domain === domain).length + down.filter(inZone).length;
    assert.ok(out <= Math.max(1, Math.floor(all * 0.34)), `${out} of ${all} nodes of ${domain} are out`);
  }
  for (const budget of view.budgets) {
    const users = after.filter(({ node }) =>
      (view.pods.get(node) ?? []).some(({ labels }) => labels['app'] === budget.selector.matchLabels['app']),
    );
    if (users.some(({ uid }) => added.some((entry) => entry.uid === uid)))
      assert.ok(
        users.length <= budget.disruptionsAllowed,
        `${budget.name}: more nodes than it allows pods to go`,
      );
  }
}

test('no admission is above any bound, outside a window, while paused or halted (S1, S2, S10, S12, S14; system-upgrade-controller#38, #77, rancher#25861)', () => {
  let admissions = 0;
  fc.assert(
    fc.property(cases, (one) => {
      const fleet = fleetOf(one);
      fleet.onLedger = (write, view) => {
        admissions += write.status.entries.length;
        check(one, write, view);
      };
      for (let step = 0; step < 90; step += 1) {
        for (const happening of one.happenings)
          if (happening.after === step) happen(fleet, happening, one.nodes);
        fleet.step(300);
      }
    }),
    { numRuns: 70 },
  );
  assert.ok(admissions > 100, `${admissions} slots were given: too few to prove anything`);
});

test('whatever stood in the way, when it is gone the rollout ends (L4; bottlerocket-update-operator#523, k3s#2248)', () => {
  fc.assert(
    fc.property(cases, (one) => {
      const wanted = { ...one, minAvailable: 0, allowSingleNode: true };
      const fleet = fleetOf(wanted);
      for (let step = 0; step < 45; step += 1) {
        for (const happening of one.happenings)
          if (happening.after === step) happen(fleet, happening, one.nodes);
        fleet.step(300);
      }
      fleet.scripts.clear();
      fleet.setPolicy('workers', { paused: false });
      for (const name of fleet.server.objects.node.keys())
        fleet.server.change('node', name, () => ({
          isUnschedulable: false,
          isReady: true,
          readySinceMs: fleet.nowMs,
        }));
      for (const name of fleet.server.objects.budget.keys())
        fleet.server.change('budget', name, () => ({ disruptionsAllowed: 2 }));
      const rollout = fleet.rollout('2');
      if (rollout)
        fleet.server.change('rollout', rollout.name, ({ spec }) => ({
          spec: { ...spec, halt: '', clearedHaltAt: new Date(fleet.nowMs).toISOString() },
        }));
      const isEnd = () => fleet.rollout('2')?.status?.phase === 'Complete';
      assert.ok(
        fleet.until(isEnd, { step: 300, hours: 24 * 14 }),
        JSON.stringify(fleet.rollout('2')?.status, undefined, 1),
      );
    }),
    { numRuns: 60 },
  );
});
