import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ScriptedFleet } from '../testing/scripted-fleet.ts';

function fleetOf(count: number, policy: Record<string, unknown> = {}): ScriptedFleet {
  const fleet = new ScriptedFleet();
  for (let index = 0; index < count; index += 1)
    fleet.addNode({
      name: `node-${index}`,
      labels: { 'topology.kubernetes.io/zone': `zone-${index % 3}` },
    });
  fleet.addRelease('2');
  fleet.addPolicy('workers', { release: '2', ...policy });
  return fleet;
}

const phase = (fleet: ScriptedFleet) => fleet.rollout('2')?.status?.phase;

suite('a rollout', () => {
  test('goes from its creation to its end', () => {
    const fleet = fleetOf(30);
    assert.ok(
      fleet.until(() => phase(fleet) === 'Complete'),
      JSON.stringify(fleet.rollout('2')?.status),
    );
    const status = fleet.rollout('2')?.status;
    assert.equal(status?.counts['Done'], 30);
    assert.deepEqual(fleet.ledger('workers'), []);
    fleet.step(60);
    assert.equal([...fleet.server.objects.node.values()].flatMap(({ taints }) => taints).length, 0);
    const before = fleet.writes.length;
    fleet.step(600);
    assert.equal(fleet.writes.length, before, 'a rollout that is complete writes nothing');
  });

  test('the slot of a Node that is not seen is taken back once the API server says that it is gone: its watch may be behind', () => {
    const fleet = fleetOf(4);
    fleet.until(() => fleet.ledger('workers').length > 0, { step: 1 });
    const [entry] = fleet.ledger('workers');
    assert.ok(entry);
    const nodes = new Map([...fleet.server.objects.node].filter(([name]) => name !== entry.node));
    fleet.extra = { nodes };
    const written = () => fleet.look('workers').writes.map((write) => write.do);
    const before = written();
    assert.deepEqual(before.slice(before.indexOf('prove-gone'), before.indexOf('ledger') + 1), [
      ...['prove-gone', 'ledger'],
    ]);
    assert.ok(fleet.ledger('workers').some(({ uid }) => uid === entry.uid));
    fleet.server.remove('node', entry.node);
    fleet.look('workers');
    assert.ok(!fleet.ledger('workers').some(({ uid }) => uid === entry.uid));
  });
});
