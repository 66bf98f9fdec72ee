import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decideNode, decidePolicy } from '../decide/index.ts';
import type { NodePhase } from '../objects/index.ts';
import { play, settle } from './moves.ts';
import type { Simulation } from './simulation.ts';
import { isUpdated, OTHER_POLICY, openWorld, POLICY, type World } from './world.ts';

// A policy is deleted in the middle, and another one takes its nodes; a Node is deleted in the middle. Whatever phase they were in, and
// after whichever write the operator is killed: all come to the release, and no slot, taint or mark is left.

const REAL = { decideNode, decidePolicy };
const CALM: World = {
  ...{ characters: ['good', 'good', 'good'], maxUnavailable: 1, skewsMs: [0, 0], machineSkewMs: 0 },
  ...{ pods: 3, budgets: 0, parts: 'system' },
};
const PHASES: readonly NodePhase[] = [
  ...(['Idle', 'Staging', 'Staged', 'Draining', 'Authorized', 'Verifying'] as const),
  ...(['Soaking', 'Done'] as const),
];
const ROUNDS = 400;

function phasesOf({ server: { objects } }: Simulation): readonly (NodePhase | undefined)[] {
  return [...objects.nodeUpdate.values()].map(({ status }) => status?.progress?.phase);
}

/** A cluster in which a node has come into a phase. */
function clusterAt(phase: NodePhase): Simulation {
  const simulation = openWorld(CALM, REAL);
  const isThere = () => phasesOf(simulation).some((each) => (each ?? 'Idle') === phase);
  assert.ok(settle(simulation, ROUNDS, isThere) < ROUNDS, `no node came into ${phase}`);
  return simulation;
}

function problemsOf(simulation: Simulation): readonly string[] {
  const { objects } = simulation.server;
  const all = [...objects.nodeUpdate.values()];
  const [policy] = objects.policy.keys();
  return [
    ...[...simulation.machines.values()].flatMap((each) =>
      isUpdated(each) ? [] : [`${each.name} is not updated`],
    ),
    ...[...objects.ledger.values()].flatMap(({ name, status }) =>
      status?.entries.length ? [`${name} has a slot given`] : [],
    ),
    ...[...objects.node.values()].flatMap(({ name, taints }) =>
      taints.map(({ key }) => `${name} has ${key}`),
    ),
    ...all.flatMap(({ name, spec }) => (spec.policy === policy ? [] : [`${name} is under ${spec.policy}`])),
    ...[...objects.rollout.values()].flatMap(({ name, spec, status }) =>
      spec.policy === policy || ['Stopped', 'Complete'].includes(status?.phase ?? '')
        ? []
        : [`${name} is ${status?.phase}`],
    ),
    ...simulation.auditor.violations.map(({ rule, text }) => `${rule}: ${text}`),
  ];
}

function comesToAnEnd(simulation: Simulation, what: string): void {
  settle(simulation, ROUNDS, () => problemsOf(simulation).length === 0);
  assert.deepEqual(problemsOf(simulation), [], `${what}: ${phasesOf(simulation)}`);
}

suite('nodes whose policy goes', () => {
  for (const phase of PHASES)
    test(`in ${phase}: another policy brings them to the release, after whichever write the operator is killed`, () => {
      for (const writes of [0, 1, 2, 3, 4]) {
        const simulation = clusterAt(phase);
        play(simulation, { move: 'person', does: 'rename', node: 0 });
        simulation.operators[0]?.cache.deliverAll();
        play(simulation, { move: 'look-policy', operator: 0, writes });
        simulation.operators[0]?.cache.list();
        for (const node of [0, 1, 2]) play(simulation, { move: 'look-node', operator: 0, node, writes });
        comesToAnEnd(simulation, `killed after ${writes}`);
      }
    });

  test('a slot that an operator with old news gives by the deleted policy is taken back', () => {
    const simulation = openWorld(CALM, REAL);
    const isStaged = () => phasesOf(simulation).includes('Staged');
    assert.ok(settle(simulation, ROUNDS, isStaged) < ROUNDS);
    const slow = simulation.operators[1];
    slow?.cache.deliverAll();
    play(simulation, { move: 'person', does: 'rename', node: 0 });
    simulation.operators[0]?.cache.deliverAll();
    play(simulation, { move: 'look-policy', operator: 0, writes: 1000 });
    play(simulation, { move: 'look-policy', operator: 1, writes: 1000 });
    const given = simulation.server.objects.ledger.get(POLICY)?.status?.entries.length;
    assert.equal(given, 1, 'the old ledger gives a slot');
    comesToAnEnd(simulation, 'old news');
    assert.ok(simulation.server.objects.ledger.has(OTHER_POLICY));
  });

  test('nodes go back to a policy of the name they were under before', () => {
    const simulation = clusterAt('Draining');
    for (let times = 0; times < 2; times += 1) {
      play(simulation, { move: 'person', does: 'rename', node: 0 });
      settle(simulation, 3, () => false);
    }
    comesToAnEnd(simulation, 'there and back');
  });

  test('with no policy left, nodes on their way come to an end and nothing stays behind', () => {
    for (const phase of PHASES) {
      const simulation = clusterAt(phase);
      simulation.server.remove('policy', POLICY);
      const isLeft = () => {
        const { ledger, node, rollout } = simulation.server.objects;
        return (
          [...ledger.values()].some(({ status }) => status?.entries.length) ||
          [...node.values()].some(({ taints }) => taints.length > 0) ||
          [...rollout.values()].some(({ status }) => !['Stopped', 'Complete'].includes(status?.phase ?? ''))
        );
      };
      const rounds = settle(simulation, ROUNDS, () => !isLeft());
      assert.ok(rounds < ROUNDS, `${phase}: ${JSON.stringify(simulation.server.objects.ledger.get(POLICY))}`);
      assert.deepEqual(simulation.auditor.violations, []);
    }
  });
});

suite('nodes whose Node goes', () => {
  for (const phase of PHASES)
    test(`in ${phase}: the slot of the old one goes, and the one that comes in its place is brought to the release`, () => {
      for (const writes of [0, 1, 2, 1000]) {
        const simulation = clusterAt(phase);
        const names = [...simulation.server.objects.nodeUpdate.keys()];
        const at = phasesOf(simulation).findIndex((each) => (each ?? 'Idle') === phase);
        const node = [...simulation.machines.keys()].indexOf(names[at] ?? '');
        play(simulation, { move: 'person', does: 'replace', node });
        simulation.operators[0]?.cache.deliverAll();
        play(simulation, { move: 'look-policy', operator: 0, writes });
        comesToAnEnd(simulation, `killed after ${writes}`);
      }
    });
});
