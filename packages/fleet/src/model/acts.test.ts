import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decideNode, decidePolicy } from '../decide/index.ts';
import type { NodeReport } from '../objects/index.ts';
import type { BoundPod } from '../testing/fake-objects.ts';
import type { FleetView, Heard } from '../view/view.ts';
import { play, settle } from './moves.ts';
import type { Deciders, Simulation } from './simulation.ts';
import { openWorld, type World } from './world.ts';

// A node whose plinthd is at an act keeps its pods and is not started, also where plinthd itself would let it be: the operator holds.

const REAL: Deciders = { decideNode, decidePolicy };
const ROUNDS = 400;
const CALM: World = {
  ...{ characters: ['good', 'good'], maxUnavailable: 1, skewsMs: [0], machineSkewMs: 0 },
  ...{ pods: 4, budgets: 1, parts: 'system' },
};

/** Operators that do not look at what plinthd is at. */
const CARELESS: Deciders = {
  decideNode: (view, node) => decideNode(withoutActs(view), node),
  decidePolicy: (view, policy) => decidePolicy(withoutActs(view), policy),
};

function withoutActs(view: FleetView): FleetView {
  const deaf = ({ kubernetesAct: _, ...report }: NodeReport): NodeReport => report;
  return {
    ...view,
    nodeUpdates: new Map(
      [...view.nodeUpdates].map(([name, update]) => {
        const { node, ...status } = update.status ?? {};
        return [name, node ? { ...update, status: { ...status, node: deaf(node) } } : update];
      }),
    ),
    heard: new Map(
      [...(view.heard ?? [])].map(([name, heard]): [string, Heard] => [
        name,
        { ...heard, report: deaf(heard.report) },
      ]),
    ),
  };
}

function open(deciders: Deciders): Simulation {
  const simulation = openWorld(CALM, deciders);
  for (const machine of simulation.machines.values()) machine.refusesInAct = false;
  return simulation;
}

/** What was done to nodes that are at an act: pods asked to go, starts. Looked at once in each round. */
function watchActs(simulation: Simulation) {
  const { history } = simulation.server;
  const harmed = new Set<string>();
  const boots = new Map<string, string>();
  let at = history.length;
  return () => {
    const left = new Set<string>();
    for (; at < history.length; at += 1) {
      const pod = history[at]?.kind === 'pod' ? (history[at]?.object as BoundPod | undefined) : undefined;
      if (pod?.isDeleting) left.add(pod.node);
    }
    for (const { name, bootId, isActing } of simulation.machines.values()) {
      if (isActing && left.has(name)) harmed.add(`${name} lost a pod`);
      if (isActing && (boots.get(name) ?? bootId) !== bootId) harmed.add(`${name} was started`);
      boots.set(name, bootId);
    }
    return [...harmed];
  };
}

const phaseOf = ({ server }: Simulation, name: string) =>
  server.objects.nodeUpdate.get(name)?.status?.progress?.phase;
const reasonOf = ({ server }: Simulation, name: string) =>
  server.objects.nodeUpdate.get(name)?.status?.progress?.reason?.code;
const isDone = (simulation: Simulation) =>
  [...simulation.machines.keys()].every((name) => phaseOf(simulation, name) === 'Done');

/** A person begins an act just before a node would be emptied, in each of the phases that lead there. */
function runWith(deciders: Deciders, phase: string) {
  const simulation = open(deciders);
  const found = () => [...simulation.machines.keys()].find((name) => phaseOf(simulation, name) === phase);
  assert.ok(settle(simulation, ROUNDS, () => found() !== undefined) < ROUNDS, `no node is ${phase}`);
  const name = found() ?? '';
  simulation.machines.get(name)?.beginAct(simulation.nowMs, 40);
  const harm = watchActs(simulation);
  const reasons = new Set<string | undefined>();
  const rounds = settle(simulation, ROUNDS, () => {
    harm();
    reasons.add(reasonOf(simulation, name));
    return isDone(simulation);
  });
  return { simulation, harm: harm(), reasons, isOver: rounds < ROUNDS };
}

suite('a node whose plinthd is at an act', () => {
  test('in a slot: it is waited for with the reason in its status, then brought to the release', () => {
    const { simulation, harm, reasons, isOver } = runWith(REAL, 'Draining');
    assert.deepEqual(harm, []);
    assert.ok(reasons.has('node/acting'), [...reasons].join());
    assert.ok(isOver, `${phaseOf(simulation, 'node-0')}`);
    assert.deepEqual(simulation.auditor.violations, []);
  });

  test('caught: an operator that does not look at acts', () => {
    const { harm } = runWith(CARELESS, 'Draining');
    assert.equal(harm.length, 2, harm.join());
  });

  test('before a slot: another one goes first, and the rollout names it', () => {
    const simulation = open(REAL);
    simulation.server.change('policy', 'workers', ({ spec }) => ({ spec: { ...spec, paused: true } }));
    const isStaged = () => phaseOf(simulation, 'node-0') === 'Staged';
    settle(simulation, ROUNDS, isStaged);
    const machine = simulation.machines.get('node-0');
    machine?.beginAct(simulation.nowMs, 1000);
    // It says so when it is asked; what asks it here is a slot, which it gives back after drain.timeout.
    simulation.server.change('policy', 'workers', ({ spec }) => ({ spec: { ...spec, paused: false } }));
    const harm = watchActs(simulation);
    const isOtherDone = () => {
      harm();
      return phaseOf(simulation, 'node-1') === 'Done';
    };
    assert.ok(settle(simulation, ROUNDS, isOtherDone) < ROUNDS, `${phaseOf(simulation, 'node-1')}`);
    settle(simulation, 20, () => false);
    const [rollout] = simulation.server.objects.rollout.values();
    const blocker = rollout?.status?.blockers.find(({ node }) => node === 'node-0');
    assert.equal(blocker?.reason.code, 'node/acting');
    assert.equal(simulation.server.objects.ledger.get('workers')?.status?.entries.length, 0);
    assert.deepEqual(harm(), []);
    assert.deepEqual(simulation.auditor.violations, []);
  });

  test('plinthd that refuses gives the same end: the slot is given back, and the node is tried again', () => {
    const simulation = openWorld(CALM, CARELESS);
    const isAuthorized = () =>
      [...simulation.machines.keys()].some((name) => phaseOf(simulation, name) === 'Authorized');
    const begun = () => {
      const name = [...simulation.machines.keys()].find((each) => phaseOf(simulation, each) === 'Draining');
      if (name !== undefined) simulation.machines.get(name)?.beginAct(simulation.nowMs, 100);
      return isAuthorized();
    };
    settle(simulation, ROUNDS, begun);
    assert.ok(settle(simulation, ROUNDS, () => isDone(simulation)) < ROUNDS);
    assert.deepEqual(simulation.auditor.violations, []);
  });

  test('an act that begins while a call is under way is seen by an operator that comes after', () => {
    const simulation = open(REAL);
    settle(simulation, ROUNDS, () => phaseOf(simulation, 'node-0') === 'Tainting' || isDone(simulation));
    for (const machine of simulation.machines.values()) machine.beginAct(simulation.nowMs, 30);
    play(simulation, { move: 'list', operator: 0 });
    const harm = watchActs(simulation);
    const rounds = settle(simulation, ROUNDS, () => {
      harm();
      return isDone(simulation);
    });
    assert.deepEqual([harm(), rounds < ROUNDS], [[], true]);
  });
});
