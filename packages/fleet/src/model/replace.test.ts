import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decideNode, decidePolicy } from '../decide/index.ts';
import type { FleetView, NodeView } from '../view/view.ts';
import { play, settle } from './moves.ts';
import { FakeProvider, type ProviderOptions } from './provider.ts';
import type { Deciders, Simulation } from './simulation.ts';
import { openWorld, POLICY, STANDARD, type World } from './world.ts';

// Nodes that are replaced by their provider instead of started: the pool never has fewer nodes in service than the policy leaves it, whatever
// write the operator is killed after, and however slow the provider is.

const REAL: Deciders = { decideNode, decidePolicy };
const OLD = 'a'.repeat(64);
const POOL: World = {
  ...{ characters: ['good', 'good', 'good'], maxUnavailable: 1, skewsMs: [0], machineSkewMs: 0 },
  ...{ pods: 3, budgets: 1, parts: 'system', isReplaced: true },
};
const ROUNDS = 300;

function open(options: Partial<ProviderOptions> = {}, deciders = REAL, world: Partial<World> = {}) {
  const simulation = openWorld({ ...POOL, ...world }, deciders);
  return { simulation, provider: new FakeProvider(simulation, { system: STANDARD, pace: 4, ...options }) };
}

/** Everybody does what they do, the provider too. @returns whether it came to be so */
function until(
  simulation: Simulation,
  provider: FakeProvider,
  isSo: () => boolean,
  rounds = ROUNDS,
): boolean {
  for (let round = 0; round < rounds; round += 1) {
    if (isSo()) return true;
    settle(simulation, 1, () => false);
    provider.step();
  }
  return isSo();
}

/** The fewest nodes in service at any version of the API server, once all were there. */
function leastInService({ server }: Simulation, pool: number): number {
  const nodes = new Map<string, NodeView>();
  let least = pool;
  let isWhole = false;
  for (const { kind, name, object } of server.history) {
    if (kind !== 'node') continue;
    if (object) nodes.set(name, object as NodeView);
    else nodes.delete(name);
    const inService = [...nodes.values()].filter(
      ({ isReady, taints }) => isReady && !taints.some(({ effect }) => effect === 'NoSchedule'),
    ).length;
    isWhole ||= inService === pool;
    if (isWhole) least = Math.min(least, inService);
  }
  return least;
}

const entries = ({ server }: Simulation) => server.objects.ledger.get(POLICY)?.status?.entries ?? [];
const rollout = ({ server }: Simulation) => [...server.objects.rollout.values()][0]?.status;
const phases = ({ server }: Simulation) =>
  [...server.objects.nodeUpdate.values()].map(({ status }) => status?.progress?.phase);
const isOver = (simulation: Simulation) => () =>
  rollout(simulation)?.phase === 'Complete' && entries(simulation).length === 0;

function problems(simulation: Simulation, pool = 3): readonly string[] {
  const { objects } = simulation.server;
  return [
    ...[...simulation.machines.values()].flatMap(({ name, runs }) =>
      runs === STANDARD ? [] : [`${name} is old`],
    ),
    ...(objects.node.size === pool ? [] : [`${objects.node.size} nodes`]),
    ...[...objects.node.values()].flatMap(({ name, taints }) =>
      taints.map(({ key }) => `${name} has ${key}`),
    ),
    ...entries(simulation).map(({ node }) => `the slot of ${node} is left`),
    ...(objects.ledger.get(POLICY)?.status?.replacements ?? []).map((uid) => `${uid} is left in the ledger`),
    ...simulation.auditor.violations.map(({ rule, text }) => `${rule}: ${text}`),
  ];
}

suite('nodes that are replaced', () => {
  test('one after the other, each once, with none started and none staged; the slot waits for the one that comes', () => {
    const { simulation, provider } = open();
    assert.ok(until(simulation, provider, isOver(simulation)), JSON.stringify(rollout(simulation)));
    assert.deepEqual(problems(simulation), []);
    assert.equal(provider.deletions, 3);
    assert.equal(leastInService(simulation, 3), 2);
    assert.equal(rollout(simulation)?.slotSeconds.length, 3);
    const permissions = simulation.server.history.filter(
      ({ kind, object }) => kind === 'nodeUpdate' && JSON.stringify(object ?? {}).includes('"nonce"'),
    );
    assert.deepEqual(permissions, []);
  });

  test('two at once where two may be away: a Node that came counts for one slot', () => {
    const characters = Array(6).fill('good' as const);
    const { simulation, provider } = open({ pace: 3 }, REAL, { characters, maxUnavailable: 2 });
    assert.ok(until(simulation, provider, isOver(simulation)), JSON.stringify(rollout(simulation)));
    assert.deepEqual(problems(simulation, 6), []);
    assert.equal(provider.deletions, 6);
    assert.ok(leastInService(simulation, 6) >= 4);
  });

  test('without the mark in the ledger the pool would shrink: the slot would end with its Node', () => {
    const unmarked = (view: FleetView): FleetView => ({
      ...view,
      ledgers: new Map(
        [...view.ledgers].map(([name, ledger]) => {
          const all = ledger.status?.entries.map((entry) =>
            view.nodes.has(entry.node) ? entry : { ...entry, replaced: undefined },
          );
          return [name, { ...ledger, status: ledger.status && { ...ledger.status, entries: all ?? [] } }];
        }),
      ) as FleetView['ledgers'],
    });
    const mutant: Deciders = {
      decideNode,
      decidePolicy: (view, policy) => decidePolicy(unmarked(view), policy),
    };
    const { simulation, provider } = open({ pace: 20 }, mutant);
    until(simulation, provider, () => leastInService(simulation, 3) < 2);
    assert.ok(leastInService(simulation, 3) < 2);
  });

  for (const writes of [0, 1, 2, 3, 4, 5])
    test(`killed after ${writes} writes at every step of the way`, () => {
      const { simulation, provider } = open({ pace: 2 });
      let kills = 0;
      const isKilled = () => {
        // Every third round goes well, so that it comes to an end.
        kills += 1;
        if (kills % 3 === 0 || isOver(simulation)()) return isOver(simulation)();
        simulation.operators[0]?.cache.list();
        play(simulation, { move: 'look-policy', operator: 0, writes });
        simulation.operators[0]?.cache.list();
        for (const [node] of [...simulation.machines.keys()].entries())
          play(simulation, { move: 'look-node', operator: 0, node, writes });
        return false;
      };
      assert.ok(until(simulation, provider, isKilled), JSON.stringify(rollout(simulation)));
      assert.deepEqual(problems(simulation), []);
      assert.equal(provider.deletions, 3, 'no Machine is deleted that came in the place of another');
      assert.equal(leastInService(simulation, 3), 2);
    });

  test('a pool that may not be asked keeps its node, which goes back into service and says why', () => {
    const { simulation, provider } = open({
      refuses: 'the MachineDeployment has the strategy RollingUpdate',
    });
    const isTold = () =>
      JSON.stringify([...simulation.server.objects.nodeUpdate.values()]).includes('strategy RollingUpdate');
    assert.ok(until(simulation, provider, isTold));
    until(simulation, provider, () => entries(simulation).length === 0, 20);
    assert.equal(provider.deletions, 0);
    assert.equal(leastInService(simulation, 3), 2);
  });

  test('a pool that still gives the old release fails the rollout, and its slot ends: capacity is back', () => {
    const { simulation, provider } = open({ system: OLD });
    simulation.server.change('policy', POLICY, ({ spec }) => ({
      spec: { ...spec, failureBudget: { ...spec.failureBudget, canary: 0, absolute: 0, percent: 0 } },
    }));
    assert.ok(
      until(
        simulation,
        provider,
        () => rollout(simulation)?.phase === 'Halted' && entries(simulation).length === 0,
      ),
    );
    assert.match(rollout(simulation)?.failures[0]?.reason.text ?? '', /give its pool the release/);
    until(simulation, provider, () => false, 30);
    assert.equal(provider.deletions, 1);
    assert.equal(simulation.server.objects.node.size, 3);
  });

  test('none comes: the slot stays, the rollout fails in time, and nobody else is taken', () => {
    const { simulation, provider } = open({ givesNone: true });
    assert.ok(until(simulation, provider, () => (rollout(simulation)?.failures.length ?? 0) > 0));
    assert.equal(rollout(simulation)?.failures[0]?.reason.code, 'node/no-replacement');
    until(simulation, provider, () => false, 50);
    assert.equal(provider.deletions, 1);
    assert.equal(entries(simulation).length, 1);
    assert.equal(rollout(simulation)?.failures.length, 1);
  });

  test('a hold that comes while it is emptied keeps the node; one that comes when its Machine goes is too late', () => {
    const { simulation, provider } = open({ pace: 50 });
    assert.ok(until(simulation, provider, () => phases(simulation).includes('Draining')));
    const at = phases(simulation).indexOf('Draining');
    const name = [...simulation.server.objects.nodeUpdate.keys()][at] ?? '';
    simulation.server.change('node', name, ({ labels }) => ({
      labels: { ...labels, 'plinth.dev/hold': '' },
    }));
    assert.ok(until(simulation, provider, () => provider.deletions > 0));
    assert.ok(simulation.server.objects.node.has(name));
    const leaving = [...simulation.server.objects.nodeUpdate.values()].find(
      ({ status }) => status?.progress?.phase === 'Replacing',
    );
    simulation.server.change('node', leaving?.name ?? '', ({ labels }) => ({
      labels: { ...labels, 'plinth.dev/hold': '' },
    }));
    until(simulation, provider, () => false, 10);
    assert.equal(entries(simulation).length, 1, 'its slot is kept until another Node came');
    assert.deepEqual(simulation.auditor.violations, []);
  });
});
