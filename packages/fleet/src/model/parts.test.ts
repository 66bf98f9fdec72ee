import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decideNode, decidePolicy } from '../decide/index.ts';
import type { Character } from '../testing/fake-machine.ts';
import { play, settle } from './moves.ts';
import type { Simulation } from './simulation.ts';
import { openWorld, type Parts, type World } from './world.ts';

const REAL = { decideNode, decidePolicy };
const ROUNDS = 400;

function openParts(parts: Parts, characters: readonly Character[] = ['good', 'good']): Simulation {
  const world: World = {
    ...{ characters, parts, maxUnavailable: 1, skewsMs: [0], machineSkewMs: 0, pods: 2, budgets: 1 },
  };
  return openWorld(world, REAL);
}

function phasesOf({ server: { objects } }: Simulation): string[] {
  return [...objects.nodeUpdate.values()].map(({ status }) => status?.progress?.phase ?? 'Idle');
}

function isOver(simulation: Simulation): boolean {
  const { objects } = simulation.server;
  const phases = phasesOf(simulation);
  return (
    phases.length === objects.node.size &&
    phases.every((phase) => phase === 'Done' || phase === 'Quarantined') &&
    [...objects.ledger.values()].every(({ status }) => status?.entries.length === 0) &&
    [...objects.node.values()].every(({ taints }) => taints.length === 0)
  );
}

/** What was done to nodes all in all. */
function done({ server, machines }: Simulation) {
  const permissions = new Set<string>();
  let evictions = 0;
  for (const { kind, object } of server.history) {
    if (kind === 'nodeUpdate' && object && 'spec' in object && 'nodeUid' in object.spec) {
      const { authorization } = object.spec;
      if (authorization) permissions.add(authorization.nonce);
    }
    if (kind === 'pod' && object && 'isDeleting' in object && object.isDeleting) evictions += 1;
  }
  return {
    permissions: permissions.size,
    evictions,
    kubernetes: new Set([...machines.values()].map(({ kubernetes }) => kubernetes)),
  };
}

const OUTCOMES: Readonly<
  Record<Parts, { readonly permissions: number; readonly drains: boolean; readonly kubernetes: string }>
> = {
  system: { permissions: 2, drains: true, kubernetes: '1.36.4' },
  all: { permissions: 2, drains: true, kubernetes: '1.37.1' },
  'hot-layer': { permissions: 0, drains: false, kubernetes: '1.36.4' },
  kubernetes: { permissions: 0, drains: false, kubernetes: '1.37.1' },
  config: { permissions: 0, drains: false, kubernetes: '1.36.4' },
  'config-by-reboot': { permissions: 2, drains: true, kubernetes: '1.36.4' },
};

suite('the parts of a release, in one disruption', () => {
  for (const [parts, wanted] of Object.entries(OUTCOMES) as [Parts, (typeof OUTCOMES)[Parts]][])
    test(`${parts}: two nodes are started ${wanted.permissions} times in all, ${wanted.drains ? 'emptied first' : 'and lose no pod'}`, () => {
      const simulation = openParts(parts);
      const rounds = settle(simulation, ROUNDS, () => isOver(simulation));
      assert.ok(rounds < ROUNDS, phasesOf(simulation).join());
      const { permissions, evictions, kubernetes } = done(simulation);
      assert.deepEqual(phasesOf(simulation), ['Done', 'Done']);
      assert.equal(permissions, wanted.permissions);
      assert.equal(evictions > 0, wanted.drains);
      assert.deepEqual([...kubernetes], [wanted.kubernetes]);
      assert.deepEqual(simulation.auditor.violations, []);
      for (const { status } of simulation.server.objects.nodeUpdate.values()) {
        const hasLayer = parts === 'all' || parts === 'hot-layer';
        assert.equal(status?.node?.hotLayerSerial, hasLayer ? 3 : 0);
        const hasConfig = parts === 'all' || parts === 'config' || parts === 'config-by-reboot';
        assert.equal(status?.node?.config?.state, hasConfig ? 'InEffect' : undefined);
      }
    });

  for (const [parts, character, kubernetes] of [
    ['kubernetes', 'not-upgraded', '1.36.4'],
    ['all', 'not-upgraded', '1.36.4'],
    ['config', 'config-reverted', '1.36.4'],
    ['config-by-reboot', 'config-reverted', '1.36.4'],
    ['all', 'config-reverted', '1.37.1'],
    ['all', 'falls-back', '1.37.1'],
  ] as const)
    test(`${parts} that is ${character}: the node is back on what it had, in service, and not tried again`, () => {
      const simulation = openParts(parts, [character, 'good']);
      const rounds = settle(simulation, ROUNDS, () => isOver(simulation));
      assert.ok(rounds < ROUNDS, phasesOf(simulation).join());
      assert.deepEqual(phasesOf(simulation).toSorted(), ['Done', 'Quarantined']);
      const update = simulation.server.objects.nodeUpdate.get('node-0');
      assert.deepEqual(
        update?.status?.progress?.denied.map(({ release }) => release),
        ['standard'],
      );
      assert.equal(update?.status?.progress?.failures, 1);
      const machine = simulation.machines.get('node-0');
      assert.equal(machine?.kubernetes, kubernetes, 'a proven Kubernetes stays');
      assert.equal(machine?.runs, 'a'.repeat(64));
      assert.notEqual(update?.status?.node?.config?.isOurs, true);
      assert.deepEqual(simulation.auditor.violations, []);
    });

  for (const parts of ['config', 'config-by-reboot', 'all'] as const)
    test(`${parts}: a rollout that is taken back takes the config back, by the way it came`, () => {
      const simulation = openParts(parts);
      settle(simulation, ROUNDS, () => isOver(simulation));
      for (const rollout of simulation.server.objects.rollout.keys())
        simulation.server.change('rollout', rollout, ({ spec }) => ({
          spec: { ...spec, abort: 'Rollback' as const },
        }));
      const isBack = () =>
        [...simulation.server.objects.nodeUpdate.values()].every(
          ({ status }) => status?.node?.config?.isOurs === false,
        ) && isOver(simulation);
      const rounds = settle(simulation, ROUNDS, isBack);
      assert.ok(rounds < ROUNDS, phasesOf(simulation).join());
      for (const { runs, kubernetes } of simulation.machines.values())
        assert.deepEqual([runs, kubernetes], ['a'.repeat(64), parts === 'all' ? '1.37.1' : '1.36.4']);
      assert.equal(done(simulation).permissions, parts === 'config' ? 0 : 4);
      assert.deepEqual(simulation.auditor.violations, []);
    });

  test('a config that came at once and goes by a reboot only is left for the next boot, and the node in service', () => {
    const simulation = openParts('config');
    for (const machine of simulation.machines.values()) machine.configBackNeedsReboot = true;
    settle(simulation, ROUNDS, () => isOver(simulation));
    for (const rollout of simulation.server.objects.rollout.keys())
      simulation.server.change('rollout', rollout, ({ spec }) => ({
        spec: { ...spec, abort: 'Rollback' as const },
      }));
    const isLeft = () =>
      [...simulation.server.objects.nodeUpdate.values()].every(
        ({ status }) => status?.node?.config?.isBackStaged === true,
      ) && isOver(simulation);
    assert.ok(settle(simulation, ROUNDS, isLeft) < ROUNDS, phasesOf(simulation).join());
    const slots = () => simulation.server.history.filter(({ kind }) => kind === 'ledger').length;
    const before = slots();
    settle(simulation, 50, () => false);
    assert.equal(slots(), before, 'no slot is taken again for it');
    assert.equal(done(simulation).permissions, 0);
    assert.deepEqual(simulation.auditor.violations, []);
  });

  test('a config that a person changed is found, told, and brought back in a slot of its own', () => {
    const simulation = openParts('config');
    settle(simulation, ROUNDS, () => isOver(simulation));
    simulation.machines.get('node-0')?.changeConfig();
    simulation.server.change('policy', 'workers', ({ spec }) => ({ spec: { ...spec, paused: true } }));
    const update = () => simulation.server.objects.nodeUpdate.get('node-0');
    const hasDrifted = () => update()?.status?.node?.config?.state === 'Due';
    assert.ok(settle(simulation, ROUNDS, hasDrifted) < ROUNDS, 'nobody asked');
    const told = () => {
      const { conditions = [] } = simulation.server.objects.policy.get('workers')?.status ?? {};
      return conditions.find(({ type }) => type === 'ConfigDrifted');
    };
    assert.ok(settle(simulation, ROUNDS, () => told()?.status === 'True') < ROUNDS, 'it is not told');
    assert.match(told()?.message ?? '', /node-0 \(sysctls\)/);
    simulation.server.change('policy', 'workers', ({ spec }) => ({ spec: { ...spec, paused: false } }));
    const isBack = () => update()?.status?.node?.config?.state === 'InEffect' && isOver(simulation);
    assert.ok(settle(simulation, ROUNDS, isBack) < ROUNDS, phasesOf(simulation).join());
    assert.equal(done(simulation).permissions, 0);
    assert.ok(settle(simulation, ROUNDS, () => told()?.status === 'False') < ROUNDS);
    assert.deepEqual(simulation.auditor.violations, []);
  });

  for (const parts of Object.keys(OUTCOMES) as Parts[])
    for (const writes of [0, 1, 2])
      test(`${parts}: an operator that is killed after ${writes} writes of every third look leaves nothing half done`, () => {
        const simulation = openParts(parts);
        for (let round = 0; round < 200; round += 1) {
          // One that is killed in every look hears nodes and never writes what it heard; nobody gets on then.
          const lives = round % 3 === 1 ? writes : 1000;
          for (const [node] of [...simulation.machines.keys()].entries()) {
            play(simulation, { move: 'list', operator: 0 });
            play(simulation, { move: 'look-policy', operator: 0, writes: lives });
            play(simulation, { move: 'list', operator: 0 });
            play(simulation, {
              move: 'look-node',
              operator: 0,
              node,
              writes: lives,
            });
            for (let message = 0; message < 5; message += 1)
              play(simulation, { move: 'arrive', message: 0, again: round % 3 === 0 && message === 0 });
            play(simulation, { move: 'machine', node });
            play(simulation, { move: 'pods' });
            play(simulation, { move: 'wait', seconds: 5 });
          }
        }
        settle(simulation, ROUNDS, () => isOver(simulation));
        assert.deepEqual(phasesOf(simulation), ['Done', 'Done']);
        assert.equal([...done(simulation).kubernetes].join(), OUTCOMES[parts].kubernetes);
        assert.deepEqual(simulation.auditor.violations, []);
      });
});
