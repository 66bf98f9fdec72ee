import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  NEW,
  NOW_MS,
  PERMISSION,
  ROLLOUT,
  type Sample,
  SLOT,
  sampleView,
  TAINT,
} from '../decide/node/sample-view.testing.ts';
import { momentOf, windowSpec } from '../objects/index.ts';
import type { FleetView, NodeView } from '../view/view.ts';
import { type AuditOptions, openAuditor } from './auditor.ts';
import type { Observation } from './observation.ts';

const OPTIONS: AuditOptions = { lagMs: 30_000, staleEntryMs: 60_000, apiServerVersion: 'v1.37.1' };
const LATER_MS = NOW_MS + 600_000;

/** Four nodes in two zones, the first of them "n1" as sampled; one of them may be away. */
function cluster(sample: Sample = {}): FleetView {
  const view = sampleView({ policy: { capacity: { maxUnavailable: 1 } }, ...sample });
  const [first] = view.nodes.values();
  assert.ok(first);
  const nodes = new Map<string, NodeView>([['n1', first]]);
  for (const name of ['n2', 'n3', 'n4']) nodes.set(name, { ...first, name, uid: `${name}-uid`, taints: [] });
  return { ...view, nodes };
}

function* observationsOf(view: FleetView): Generator<Observation> {
  for (const [name, object] of view.policies) yield { kind: 'policy', name, object };
  for (const [name, object] of view.rollouts) yield { kind: 'rollout', name, object };
  for (const [name, object] of view.nodes) yield { kind: 'node', name, object };
  for (const [name, object] of view.ledgers) yield { kind: 'ledger', name, object };
  for (const [name, object] of view.nodeUpdates) yield { kind: 'nodeUpdate', name, object };
}

/** Which rules are broken by what follows on a cluster that was seen before. */
function broken(before: FleetView, ...after: readonly Observation[]): string[] {
  const auditor = openAuditor(OPTIONS);
  for (const observation of observationsOf(before)) auditor.observe(observation, NOW_MS);
  assert.deepEqual(auditor.violations, []);
  for (const observation of after) auditor.observe(observation, LATER_MS);
  auditor.check(LATER_MS);
  auditor.check(LATER_MS + 61_000);
  return [...new Set(auditor.violations.map(({ rule }) => rule))];
}

function node(view: FleetView, name: string, change: Partial<NodeView>): Observation {
  const object = view.nodes.get(name);
  assert.ok(object);
  return { kind: 'node', name, object: { ...object, ...change } };
}

function ledger(...nodes: readonly { node: string; uid?: string; domain?: string }[]): Observation {
  const [object] = sampleView({}).ledgers.values();
  assert.ok(object);
  const entries = nodes.map(
    ({ node: name, uid = name === 'n1' ? 'node-uid' : `${name}-uid`, domain = 'z' }) => ({
      ...{ node: name, uid, domain, rollout: ROLLOUT, since: momentOf(NOW_MS + 1) },
    }),
  );
  return { kind: 'ledger', name: 'workers', object: { ...object, status: { entries, epoch: 2 } } };
}

function permission(view: FleetView, change: object = {}): Observation {
  const object = view.nodeUpdates.get('n1');
  assert.ok(object);
  return {
    ...{ kind: 'nodeUpdate', name: 'n1' },
    object: { ...object, spec: { ...object.spec, authorization: { ...PERMISSION, ...change } } },
  };
}

/** The phase after a permission, with what the node said last. */
function authorized(given: Observation): Observation {
  assert.ok(given.kind === 'nodeUpdate' && given.object?.status?.progress);
  const { object } = given;
  const status = { ...object.status, progress: { ...object.status?.progress, phase: 'Authorized' } };
  return { ...given, object: { ...object, status } } as Observation;
}

const START = {
  ...{ node: 'n1', nodeUid: 'node-uid', fromBootId: 'one', bootId: 'two', rootHash: NEW, nonce: 'n1' },
};
const inSlot = () => cluster({ slot: SLOT, node: { taints: [TAINT] } });
/** Taken in order: first the slot, then the taint. */
const taintedInSlot = (change: Partial<NodeView> = {}) => {
  const view = cluster({ slot: SLOT });
  return [view, node(view, 'n1', { taints: [TAINT], ...change })] as const;
};

suite('what the audit finds', () => {
  test('nothing where slots, taints and starts come in their order', () => {
    const [view, taint] = taintedInSlot();
    const booted = node(view, 'n1', { taints: [TAINT], bootId: 'two' });
    const free = node(view, 'n1', { taints: [], bootId: 'two' });
    assert.deepEqual(
      broken(view, taint, permission(view), { kind: 'start', start: START }, booted, free, ledger()),
      [],
    );
  });

  test('S1: more nodes away than may be, by slots or for other reasons', () => {
    assert.deepEqual(broken(cluster(), ledger({ node: 'n1' }, { node: 'n2' })), ['S1']);
    const down = cluster();
    const lame = new Map(down.nodes).set('n3', {
      ...(down.nodes.get('n3') ?? assert.fail()),
      isReady: false,
    });
    assert.deepEqual(broken({ ...down, nodes: lame }, ledger({ node: 'n1' })), ['S1']);
  });

  test('S2: fewer stay available than have to', () => {
    const view = cluster({ policy: { capacity: { maxUnavailable: 2, minAvailable: 3 } } });
    assert.deepEqual(broken(view, ledger({ node: 'n1' }, { node: 'n2' })), ['S2']);
  });

  test('S3: two control planes at once', () => {
    const [object] = sampleView({}).ledgers.values();
    const name = 'control-planes.fleet.plinth.dev';
    const entries = ['n1', 'n2'].map((each) => ({
      ...{
        node: each,
        uid: each === 'n1' ? 'node-uid' : `${each}-uid`,
        rollout: ROLLOUT,
        domain: each,
        since: SLOT,
      },
    }));
    const both: Observation = {
      ...{ kind: 'ledger', name },
      object: { ...(object ?? assert.fail()), name, status: { entries, epoch: 1 } },
    };
    const view = cluster({ policy: { role: 'ControlPlane', capacity: { maxUnavailable: 1 } } });
    assert.deepEqual(broken(view, both), ['S3', 'S1']);
  });

  test('S4: a taint without a slot, and a slot taken from a tainted node', () => {
    const view = cluster();
    assert.deepEqual(broken(view, node(view, 'n1', { taints: [TAINT] })), ['S4']);
    const [held, taint] = taintedInSlot();
    assert.deepEqual(broken(held, taint, ledger()), ['S4']);
  });

  test('S5: a permission for, or a start of, a node that takes pods, or still has some', () => {
    const view = cluster({ slot: SLOT });
    assert.deepEqual(broken(view, permission(view)), ['S5']);
    const pod: Observation = {
      ...{ kind: 'pod', name: 'p' },
      object: { uid: 'p', node: 'n1', controllerKind: 'ReplicaSet', phase: 'Running', isMirror: false },
    };
    const [held, taint] = taintedInSlot();
    assert.deepEqual(broken(held, pod, taint, permission(held)), ['S5']);
    // Bound past the scheduler's own view: nobody could have known.
    assert.deepEqual(broken(held, taint, pod, permission(held)), []);
  });

  test('S6: a permission used twice, of another boot, for another system, or seen by nobody', () => {
    const [view, taint] = taintedInSlot();
    const start = (change: object): Observation => ({ kind: 'start', start: { ...START, ...change } });
    const given = [taint, permission(view)];
    assert.deepEqual(broken(view, ...given, start({}), start({})), ['S6']);
    assert.deepEqual(broken(view, ...given, start({ fromBootId: 'zero' })), ['S6']);
    assert.deepEqual(broken(view, ...given, start({ rootHash: 'f'.repeat(64) })), ['S6']);
    assert.deepEqual(broken(view, taint, start({})), ['S6']);
    assert.deepEqual(broken(view, taint, start({ nonce: undefined })), []);
  });

  test('S7: a cordon or a taint of others that changed together with ours', () => {
    const [view, cordoned] = taintedInSlot({ isUnschedulable: true });
    assert.deepEqual(broken(view, cordoned), ['S7']);
    const other = { key: 'a', value: '', effect: 'NoSchedule' };
    assert.deepEqual(broken(view, node(view, 'n1', { taints: [TAINT, other] })), ['S7']);
  });

  test('S8: a kubelet newer than the API server, or four versions older', () => {
    const view = cluster();
    assert.deepEqual(broken(view, node(view, 'n1', { kubeletVersion: 'v1.38.0' })), ['S8']);
    assert.deepEqual(broken(view, node(view, 'n1', { kubeletVersion: 'v1.33.9' })), ['S8']);
    assert.deepEqual(broken(view, node(view, 'n1', { kubeletVersion: 'v1.34.0' })), []);
  });

  test('S9: a permission while what runs is not proven', () => {
    const view = cluster({ slot: SLOT, report: { contract: 'running' } });
    assert.deepEqual(broken(view, node(view, 'n1', { taints: [TAINT] }), permission(view)), ['S9']);
  });

  test('S9: a permission while plinthd said that it is at an act', () => {
    for (const [state, found] of [
      ['Running', ['S9']],
      ['Done', []],
    ] as const) {
      const view = cluster({ slot: SLOT, report: { kubernetesAct: { startedAt: SLOT, state } } });
      const given = permission(view);
      assert.deepEqual(broken(view, node(view, 'n1', { taints: [TAINT] }), given), []);
      assert.deepEqual(broken(view, node(view, 'n1', { taints: [TAINT] }), given, authorized(given)), found);
    }
  });

  test('S10: a slot given while paused or halted', () => {
    const policy = { paused: true, capacity: { maxUnavailable: 1 } };
    assert.deepEqual(broken(cluster({ policy }), ledger({ node: 'n1' })), ['S10']);
    assert.deepEqual(broken(cluster({ rollout: { halt: 'no' } }), ledger({ node: 'n1' })), ['S10']);
  });

  test('S10: a slot given outside the windows, but for what no window that was seen forbids', () => {
    const policy = { windows: ['nights'], capacity: { maxUnavailable: 1 } };
    const [minute, hour] = [LATER_MS / 60_000, LATER_MS / 3_600_000].map((each) => Math.floor(each));
    const schedules = {
      open: `${(minute ?? 0) % 60} ${(hour ?? 0) % 24} * * *`,
      closed: `${(minute ?? 0) % 60} ${((hour ?? 0) + 12) % 24} * * *`,
    };
    const slotIn = (schedule: string, name = 'nights') => {
      const spec = windowSpec.parse({ kind: 'Allow', schedule, duration: '1h' });
      const object = { name, uid: name, resourceVersion: '1', generation: 1, createdAtMs: 0, spec };
      return broken(
        cluster({ policy }),
        { kind: 'window', name, object: { ...object, status: undefined } },
        ledger({ node: 'n1' }),
      );
    };
    assert.deepEqual(slotIn(schedules.closed), ['S10']);
    assert.deepEqual(slotIn(schedules.open), []);
    assert.deepEqual(slotIn(schedules.closed, 'other'), [], 'the named one was not seen');
  });

  test('S11: a pod deleted past its budget, not on record', () => {
    assert.deepEqual(broken(inSlotSeen(), { kind: 'pod-deletion', node: 'n1' }), ['S11']);
    const recorded = cluster({ slot: SLOT, progress: { escalated: true } });
    assert.deepEqual(broken(recorded, { kind: 'pod-deletion', node: 'n1' }), []);
  });

  test('S12: two failure domains at once, but for canaries', () => {
    const view = cluster({ policy: { capacity: { maxUnavailable: 3 } } });
    const three = [
      { node: 'n1', domain: 'a' },
      { node: 'n2', domain: 'b' },
      { node: 'n3', domain: 'b' },
    ];
    assert.deepEqual(broken(view, ledger(...three)), ['S12']);
    assert.deepEqual(broken(view, ledger(...three.slice(0, 2))), []);
  });

  test('S13: a node with two slots', () => {
    const view = cluster({ policy: { capacity: { maxUnavailable: 3 } } });
    assert.deepEqual(broken(view, ledger({ node: 'n1' }, { node: 'n1' })), ['S13']);
  });

  test('S14: a slot that outlives its Node', () => {
    assert.deepEqual(broken(cluster(), ledger({ node: 'n1', uid: 'gone' })), ['S14']);
  });
});

function inSlotSeen(): FleetView {
  return { ...inSlot(), nodes: cluster({ slot: SLOT }).nodes };
}
