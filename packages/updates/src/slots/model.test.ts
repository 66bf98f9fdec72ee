import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootEntryName } from './boot-entry-name.ts';
import type { DiskStep } from './slot-disk.ts';
import { start } from './testing/model-boot.ts';
import { execute, factsOf, freshMachine, type Machine } from './testing/model-disk.ts';
import {
  type Action,
  act,
  assertGood,
  assertUpdatable,
  ourPlanners,
  type Planners,
  powerOn,
  type World,
} from './testing/model-world.ts';

// At every write of every action: a proven version is there, the machine comes to run one (or one on trial that is whole, and falls
// back when it is bad), and it can be updated again. The model is in model-disk and model-boot.

const OTHER_ACTIONS = ['activate', 'bless', 'rollback', 'cancel', 'restart'] as const;
const ACTIONS: readonly Action[] = [
  ...['1', '2', '3'].map((version): Action => ({ do: 'stage', version })),
  ...OTHER_ACTIONS.map((name): Action => ({ do: name })),
];

test('no cut of power strands a node: every order of actions, cut at every write', () => {
  const counts = [[], ['2'], ['3'], ['2', '3']].map((bad) =>
    explore({ planners: ourPlanners, bad: new Set(bad), tries: 2 }, freshMachine('1')),
  );
  // As many as there were when this was written: fewer would mean that something is no longer tried.
  assert.ok((counts[0]?.states ?? 0) > 4000 && (counts[0]?.cuts ?? 0) > 5000, JSON.stringify(counts));
});

test('no cut of power strands a node: long lives with more versions, cut at random', () => {
  const action = fc.oneof(
    fc.integer({ min: 0, max: 6 }).map((version): Action => ({ do: 'stage', version: String(version) })),
    fc
      .constantFrom<Action['do']>(
        'activate',
        'bless',
        'activate',
        'bless',
        'rollback',
        'cancel',
        'restart',
        'recover',
      )
      .map((name): Action => ({ do: name }) as Action),
  );
  const life = fc.record({
    bad: fc.subarray(['0', '2', '4', '5', '6']),
    tries: fc.integer({ min: 1, max: 4 }),
    moves: fc.array(fc.tuple(action, fc.option(fc.nat()), fc.nat()), { minLength: 20, maxLength: 60 }),
  });
  fc.assert(
    fc.property(life, ({ bad, tries, moves }) => {
      const world: World = { planners: ourPlanners, bad: new Set(bad), tries };
      let machine = freshMachine('3');
      for (const [wanted, cutAt, pick] of moves) {
        const outcome = act(world, machine, wanted);
        if (!outcome) continue;
        outcome.cuts.forEach(assertGood);
        const cut = cutAt === null ? undefined : outcome.cuts[cutAt % outcome.cuts.length];
        const next = cut ? powerOn(world, cut) : outcome.finished;
        machine = next[pick % next.length] ?? machine;
      }
      assertUpdatable(world, machine, '9');
    }),
    { numRuns: 1000 },
  );
});

test('the only version of a fresh node is blessed, and boots after every cut of it', () => {
  const fresh = freshMachine('1');
  const trial = bootEntryName('1', { triesLeft: 2, triesDone: 1 });
  const machine = { ...fresh, disk: { ...fresh.disk, files: { [trial]: 1 } } };
  const [step, ...others] = ourPlanners.bless(factsOf(machine));
  assert.ok(step && others.length === 0);
  let cuts = 0;
  for (const { torn, done } of execute(machine, step)) {
    for (const cut of [...torn, done]) {
      // The ESP is mounted with "dirsync" for this: the old name goes when the new one has its clusters. Here is no other version yet.
      if (!Object.values(cut.files).some((chain) => chain !== 0)) continue;
      cuts++;
      for (const { disk, booted } of start(cut).starts) {
        assert.deepEqual(booted, machine.booted);
        // What a cut left is settled in the boot after it, and blessed again.
        let now = { disk, booted: machine.booted };
        for (const plan of [ourPlanners.recover, ourPlanners.bless]) {
          for (const next of plan(factsOf(now))) {
            now = { ...now, disk: execute(now, next).at(-1)?.done ?? now.disk };
          }
        }
        assert.deepEqual(Object.keys(now.disk.files), [bootEntryName('1')]);
      }
    }
  }
  assert.ok(cuts >= 3);
});

const WRONG: readonly (readonly [what: string, planners: Partial<Planners>, found: RegExp])[] = [
  [
    'two names of one UKI are removed like any file',
    changed((step) => (step.do === 'drop-name' ? { do: 'remove-entry', file: step.file } : step)),
    /the boot loader hangs/,
  ],
  [
    'the old entry stays when its slot is written',
    { stage: without('stage', 'remove-entry', 'drop-name') },
    /left behind/,
  ],
  ['the slot is written under its old label', { stage: without('stage', 'empty-slot') }, /under a label/],
  [
    'the label comes before the blocks',
    { stage: reordered('write-slot', 'label-slot') },
    /labelled before it is whole/,
  ],
  [
    'a version on trial may stage another',
    { stage: (disk, next) => ourPlanners.stage({ ...disk, entries: proven(disk.entries) }, next) },
    /no good slot/,
  ],
  ['rolling back leaves the entry of the version that is left', { rollback: () => [] }, /it came back/],
  [
    'a step back to an older version leaves the newer entry',
    { bless: without('bless', 'remove-entry') },
    /another version is booted/,
  ],
  ['staging leaves staged UKIs', { stage: without('stage', 'remove-staged') }, /two staged UKIs/],
];

for (const [what, planners, found] of WRONG) {
  test(`the model finds it when ${what}`, () => {
    const world = { planners: { ...ourPlanners, ...planners }, bad: new Set(['2']), tries: 2 };
    const worlds: readonly World[] = [world, { ...world, bad: new Set() }];
    assert.throws(() => {
      for (const one of worlds) explore(one, freshMachine('1'));
    }, found);
  });
}

/** Every machine that actions and cuts of power can lead to, each rule held against each. */
function explore(world: World, first: Machine): { readonly states: number; readonly cuts: number } {
  const seen = new Set<string>();
  const cutsSeen = new Set<string>();
  const waiting: Machine[] = [];
  const arrive = (machine: Machine) => {
    const key = JSON.stringify(machine);
    if (seen.has(key)) return;
    seen.add(key);
    waiting.push(machine);
  };
  arrive(first);
  for (let machine = waiting.pop(); machine; machine = waiting.pop()) {
    for (const action of [...ACTIONS, { do: 'recover' } as const]) {
      const outcome = act(world, machine, action);
      for (const cut of outcome?.cuts ?? []) {
        const key = JSON.stringify(cut);
        if (cutsSeen.has(key)) continue;
        cutsSeen.add(key);
        assertGood(cut);
        powerOn(world, cut).forEach(arrive);
      }
      for (const running of outcome?.finished ?? []) {
        const version: string = machine.booted.version;
        if (action.do === 'recover')
          assert.deepEqual(world.planners.recover(factsOf(running)), [], 'not settled');
        if (action.do === 'rollback') assert.notEqual(running.booted.version, version, 'it came back');
        if (action.do === 'bless') {
          const next = powerOn(world, running.disk).map(({ booted }) => booted.version);
          assert.deepEqual(
            [...new Set(next)],
            [version],
            'another version is booted than the one that is proven',
          );
        }
        arrive(running);
      }
    }
    assertUpdatable(world, machine, '4');
  }
  return { states: seen.size, cuts: cutsSeen.size };
}

/** All planners, with steps replaced. */
function changed(change: (step: DiskStep) => DiskStep): Planners {
  return {
    stage: (...args) => ourPlanners.stage(...args).map(change),
    activate: (...args) => ourPlanners.activate(...args).map(change),
    bless: (...args) => ourPlanners.bless(...args).map(change),
    rollback: (...args) => ourPlanners.rollback(...args).map(change),
    cancel: (...args) => ourPlanners.cancel(...args).map(change),
    recover: (...args) => ourPlanners.recover(...args).map(change),
  };
}

function without<Name extends 'stage' | 'bless'>(name: Name, ...left: DiskStep['do'][]): Planners[Name] {
  const planner = ourPlanners[name] as (...args: readonly unknown[]) => DiskStep[];
  return ((...args: readonly unknown[]) =>
    planner(...args).filter((step) => !left.includes(step.do))) as Planners[Name];
}

/** The steps of one kind moved behind those of another. */
function reordered(moved: DiskStep['do'], behind: DiskStep['do']): Planners['stage'] {
  return (...args) => {
    const steps = ourPlanners.stage(...args);
    const late = steps.filter((step) => step.do === moved);
    const rest = steps.filter((step) => step.do !== moved);
    const at = rest.findIndex((step) => step.do === behind) + 1;
    return [...rest.slice(0, at), ...late, ...rest.slice(at)];
  };
}

function proven<Entry extends { readonly file: string; readonly version: string }>(
  entries: readonly Entry[],
) {
  return entries.map(({ file, version }) => ({ file, version }));
}
