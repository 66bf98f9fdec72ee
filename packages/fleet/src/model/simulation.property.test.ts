import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Violation } from '../audit/index.ts';
import { decideNode, decidePolicy } from '../decide/index.ts';
import { type Move, moves, play, settle, worlds } from './moves.ts';
import { MUTANTS, NO_FENCE } from './mutants.ts';
import type { Mutation, Simulation } from './simulation.ts';
import { openWorld, type World } from './world.ts';

const REAL = { decideNode, decidePolicy };
/** A new seed each time would make this fail for somebody who changed nothing; PLINTH_FLEET_SEED looks further. */
const SEED = Number(process.env['PLINTH_FLEET_SEED'] ?? 7);
const RUNS = Number(process.env['PLINTH_FLEET_RUNS'] ?? 300);

function run(world: World, list: readonly Move[], mutation: Mutation): readonly Violation[] {
  const simulation = openWorld(world, REAL, mutation);
  for (const move of list) {
    play(simulation, move);
    if (simulation.auditor.violations.length > 0) break;
  }
  return simulation.auditor.violations;
}

suite(`the real decisions in a simulated cluster (seed ${SEED}, ${RUNS} runs)`, () => {
  test('no rule is broken, whatever comes late, twice or not at all, and whoever is killed between two writes', () => {
    fc.assert(
      fc.property(worlds, moves, (world, list) => {
        assert.deepEqual(run(world, list, {}), []);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  for (const mutant of MUTANTS)
    test(`caught: ${mutant.name} – ${mutant.why}`, () => {
      const outcome = fc.check(
        fc.property(worlds, moves, (world, list) => run(world, list, mutant).length === 0),
        { seed: SEED, numRuns: 2000, endOnFailure: true },
      );
      assert.equal(outcome.failed, true, `not caught in ${outcome.numRuns} runs`);
    });

  for (const mutation of [{}, NO_FENCE])
    test(`an operator that still sees "Tainting" of a node that is long done does not taint it${mutation === NO_FENCE ? `; caught: ${NO_FENCE.why}` : ''}`, () => {
      const simulation = openWorld(CALM, REAL, mutation);
      const slow = simulation.operators[1]?.cache;
      settle(simulation, 50, () => phaseOf(simulation, 'node-0') === 'Staged');
      play(simulation, { move: 'look-policy', operator: 0, writes: 1000 });
      simulation.operators[0]?.cache.deliverAll();
      // Killed after its first write: the phase stands, the taint does not.
      play(simulation, { move: 'look-node', operator: 0, node: 0, writes: 1 });
      assert.equal(phaseOf(simulation, 'node-0'), 'Tainting');
      slow?.deliverAll();
      settle(simulation, 100, () => isOver(simulation));
      slow?.deliver('node', 1000);
      play(simulation, { move: 'look-node', operator: 1, node: 0, writes: 1000 });
      assert.deepEqual(
        simulation.auditor.violations.map(({ rule }) => rule),
        mutation === NO_FENCE ? ['S4'] : [],
      );
    });

  test('when faults stop, all nodes come to an end: updated, or back on the system before, with no slot and no taint left (L1, L4)', () => {
    fc.assert(
      fc.property(worlds, moves, (world, list) => {
        const simulation = openWorld(curable(world), REAL);
        for (const move of list) if (move.move !== 'person') play(simulation, move);
        const rounds = settle(simulation, 1500, () => isOver(simulation));
        assert.ok(rounds < 1500, phases(simulation));
        assert.deepEqual(simulation.auditor.violations, []);
      }),
      { seed: SEED, numRuns: Math.ceil(RUNS / 10) },
    );
  });
});

const CALM: World = {
  ...{ characters: ['good', 'good'], maxUnavailable: 2, skewsMs: [0, 0], machineSkewMs: 0 },
  ...{ pods: 0, budgets: 0, parts: 'system' },
};

function phaseOf({ server: { objects } }: Simulation, name: string) {
  return objects.nodeUpdate.get(name)?.status?.progress?.phase;
}

/** A machine that never comes back holds its slot for ever, as it has to; pods of two budgets wait for a person. */
function curable(world: World): World {
  return {
    ...world,
    characters: world.characters.map((each) => (each === 'never-back' ? 'good' : each)),
    budgets: world.budgets === 0 ? 0 : 1,
  };
}

function isOver({ server: { objects } }: Simulation): boolean {
  const ended = [...objects.nodeUpdate.values()].map(({ status }) => status?.progress?.phase ?? 'Idle');
  return (
    ended.length === objects.node.size &&
    ended.every((phase) => phase === 'Done' || phase === 'Quarantined') &&
    [...objects.ledger.values()].every(({ status }) => status?.entries.length === 0) &&
    [...objects.node.values()].every(({ taints }) => taints.length === 0)
  );
}

function phases({ server: { objects } }: Simulation): string {
  return JSON.stringify([...objects.nodeUpdate.values()].map(({ status }) => status?.progress));
}
