import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type GateResult, gateSpec } from '../../objects/index.ts';
import { Refusal } from '../../testing/fake-api-server.ts';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import { decidePolicy } from '../policy.ts';

function fleetOf(scope: 'Wave' | 'Always', state: GateResult['state'] | 'missing'): ScriptedFleet {
  const fleet = new ScriptedFleet();
  for (let index = 0; index < 10; index += 1) fleet.addNode({ name: `node-${index}` });
  fleet.addRelease('2');
  fleet.addPolicy('workers', {
    ...{ release: '2', gates: ['slo'], pace: { mode: 'Fastest' } },
    waves: [
      { perClass: 1, soak: '0s' },
      { upTo: '100%', soak: '0s' },
    ],
  });
  if (state !== 'missing')
    fleet.server.put('gate', 'slo', (stamp) => ({
      ...{ name: 'slo', ...stamp, generation: 1, createdAtMs: 0, status: undefined },
      spec: gateSpec.parse({ scope, http: { url: 'https://example.com' } }),
    }));
  say(fleet, state);
  return fleet;
}

function say(fleet: ScriptedFleet, state: GateResult['state'] | 'missing'): void {
  const result = {
    gate: 'slo',
    state: state === 'missing' ? 'unknown' : state,
    reason: { code: 'x', text: 'too slow' },
    atMs: 0,
  } as const;
  fleet.extra = { gateResults: new Map(state === 'missing' ? [] : [['slo', result]]) };
}

const done = (fleet: ScriptedFleet) => fleet.rollout('2')?.status?.counts['Done'] ?? 0;
const conditionOf = (fleet: ScriptedFleet, type: string) =>
  fleet.rollout('2')?.status?.conditions.find((each) => each.type === type);

suite('gates', () => {
  test('a gate of waves lets canaries go and nobody after them; when it passes the rollout goes on', () => {
    for (const state of ['fail', 'unknown'] as const) {
      const fleet = fleetOf('Wave', state);
      for (let step = 0; step < 60; step += 1) fleet.step(60);
      assert.equal(done(fleet), 1);
      assert.equal(conditionOf(fleet, 'GateFailing')?.status, 'True');
      say(fleet, 'pass');
      assert.ok(fleet.until(() => done(fleet) === 10));
    }
  });

  test('a gate of scope Always holds everything back, one that is missing as well', () => {
    for (const fleet of [
      fleetOf('Always', 'fail'),
      fleetOf('Always', 'unknown'),
      fleetOf('Always', 'missing'),
    ]) {
      for (let step = 0; step < 30; step += 1) fleet.step(60);
      assert.equal(done(fleet), 0);
      assert.match(fleet.rollout('2')?.status?.bound?.name ?? '', /^gate\//);
    }
  });
});

suite('two operators (S13)', () => {
  test('of two that see the same free slot one fails: never more slots than there are', () => {
    const fleet = fleetOf('Wave', 'pass');
    assert.ok(
      fleet.until(() => fleet.rollout('2')?.status?.wave === 1 && fleet.ledger('workers').length === 0, {
        step: 7,
      }),
    );
    fleet.step(60);
    fleet.server.change('ledger', 'workers', () => ({ status: { entries: [], epoch: 0 } }));
    const view = fleet.view();
    const both = [1, 2].map(() =>
      decidePolicy(view, 'workers').writes.filter((write) => write.do === 'ledger'),
    );
    assert.ok(
      both.every((writes) => writes.length === 1),
      'both want the slot',
    );
    const refused = both.flat().filter((write) => {
      try {
        fleet.server.apply(write, fleet.nowMs);
        return false;
      } catch (reason) {
        assert.ok(reason instanceof Refusal && reason.status === 409);
        return true;
      }
    });
    assert.equal(refused.length, 1);
    assert.equal(fleet.ledger('workers').length, 1);
  });
});
