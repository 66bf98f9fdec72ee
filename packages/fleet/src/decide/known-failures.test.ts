import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ScriptedFleet } from '../testing/scripted-fleet.ts';
import { decide, gist, inSlot, tainted } from './node/sample-decision.testing.ts';
import { OLD, POD, SLOT } from './node/sample-view.testing.ts';
import { poolOf } from './rollout/pool.ts';

// Failures of other projects that no test beside the part they are about stands for. The whole list, with the test of each:
// docs/explanation/fleet-failures.md.

/** Ten nodes, and a policy that leaves all to the bounds that are named. */
function fleetOf(policy: Record<string, unknown> = {}): ScriptedFleet {
  const fleet = new ScriptedFleet();
  for (let index = 0; index < 10; index += 1) fleet.addNode({ name: `node-${index}` });
  fleet.addRelease('2');
  fleet.addPolicy('workers', {
    ...{ release: '2', pace: { mode: 'Fastest' }, waves: [{ upTo: '100%', soak: '0s' }] },
    ...{ topology: { domainsInFlight: 1, maxUnavailablePerDomain: '100%' }, churn: { maxStaging: '100%' } },
    ...policy,
  });
  return fleet;
}

suite('failures of others', () => {
  test('coreos/airlock#81: each slot says whose it is, for which rollout and since when', () => {
    const fleet = fleetOf({ capacity: { maxUnavailable: 3, headroom: { enabled: false } } });
    assert.ok(fleet.until(() => fleet.ledger('workers').length === 3));
    const name = fleet.rollout('2')?.name;
    const nodes = new Set(fleet.ledger('workers').map(({ node }) => node));
    assert.equal(nodes.size, 3);
    for (const { node, uid, rollout, since } of fleet.ledger('workers')) {
      assert.equal(fleet.server.objects.node.get(node)?.uid, uid);
      assert.equal(rollout, name);
      assert.ok(Date.parse(since) <= fleet.nowMs + 1000);
    }
  });

  test('kubernetes-sigs/karpenter#1350: where all may go at once, all that are left after the canaries are given slots at once', () => {
    const fleet = fleetOf({
      capacity: { maxUnavailable: '100%', minAvailable: 0, headroom: { enabled: false } },
      churn: { maxStaging: '100%', maxEvictionsPerSecond: 1000 },
    });
    const most: number[] = [];
    fleet.onLedger = ({ status }) => most.push(status.entries.length);
    assert.ok(fleet.until(() => fleet.rollout('2')?.status?.phase === 'Complete'));
    // Two waves of canaries, whatever the budget says, and then the rest.
    assert.deepEqual(
      most.filter((count) => count > 0),
      [1, 2, 7],
    );
  });

  test('kured#929: a node whose taint somebody took away while it was emptied is tainted and emptied again before it may start', () => {
    assert.deepEqual(gist(decide(inSlot('Draining'))), ['→Tainting']);
    assert.deepEqual(gist(decide(tainted('Draining'))), ['taint', '→Authorized']);
    const again = decide(inSlot('Tainting', { pods: [POD] }));
    assert.deepEqual(gist(again), ['→Tainting', 'taint', '→Draining']);
  });

  test('rancher PR#36142: a node that waits for a hook has its slot, so hooks do not let more nodes go', () => {
    const hooks = { before: ['example.com/ready'], after: [] };
    const fleet = fleetOf({ hooks, capacity: { maxUnavailable: 2, headroom: { enabled: false } } });
    assert.ok(fleet.until(() => (fleet.rollout('2')?.status?.counts['Done'] ?? 0) >= 3));
    fleet.script = { slotSeconds: 1e9, fate: 'good' };
    assert.ok(fleet.until(() => fleet.ledger('workers').length === 2));
    for (const { node, since } of fleet.ledger('workers'))
      fleet.progress(node, { phase: 'PreHook', admittedAt: since });
    for (let step = 0; step < 20; step += 1) fleet.step(10);
    assert.equal(fleet.ledger('workers').length, 2);
    assert.deepEqual(gist(decide(tainted('PreHook', { policy: { hooks } }))), ['→PreHook']);
  });

  test('kubernetes/autoscaler#8494, #5235: a node that an autoscaler is about to take away is away by its hand, not by ours', () => {
    for (const key of ['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted']) {
      const fleet = fleetOf({ capacity: { maxUnavailable: 2, headroom: { enabled: false } } });
      for (const name of ['node-0', 'node-1'])
        fleet.server.change('node', name, () => ({ taints: [{ key, value: '', effect: 'NoSchedule' }] }));
      for (let step = 0; step < 20; step += 1) fleet.step(60);
      assert.deepEqual(fleet.ledger('workers'), [], 'the budget is used up by what is leaving');
      const policy = fleet.server.objects.policy.get('workers');
      assert.ok(policy);
      const down = poolOf(fleet.view(), policy, undefined).members.filter(({ isDown }) => isDown);
      assert.equal(down.length, 2);
    }
  });

  test('keikoproj/kubespray#6545, brupop#691: however often a drain fails, no taint stays behind', () => {
    const hour = { progress: { since: SLOT.replace('11:59', '09:59') } };
    const failed = decide(tainted('Draining', { ...hour, pods: [POD] }));
    assert.deepEqual(gist(failed), ['→Yielding']);
    assert.deepEqual(gist(decide(tainted('Yielding'))), ['→Yielding', 'untaint', '→Staged']);
  });

  test('brupop (read in its code): nothing of the new system is made bootable before the node is empty and permitted', () => {
    for (const phase of ['Staged', 'Tainting', 'PreHook', 'Draining', 'Yielding'] as const) {
      const sample = tainted(phase, { pods: [POD], report: { osRootHash: OLD } });
      assert.ok(!gist(decide(sample)).includes('call activate'), phase);
    }
  });
});
