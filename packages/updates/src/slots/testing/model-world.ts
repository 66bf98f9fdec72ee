import assert from 'node:assert/strict';
import { parseBootEntryName } from '../boot-entry-name.ts';
import { planActivate, planBless, planCancel, planRecover, planRollback } from '../plan-activate.ts';
import { planStage } from '../plan-stage.ts';
import type { DiskStep, SlotDisk } from '../slot-disk.ts';
import { choices, rootOf, start } from './model-boot.ts';
import { execute, factsOf, type Machine, type ModelDisk, rootHashOf, tidy } from './model-disk.ts';

// Nodes that stage, activate, prove, roll back and lose power, and the rules that hold at every moment of it.

/** The planners under test; tests of the model itself put wrong ones in their place. */
export interface Planners {
  readonly stage: typeof planStage;
  readonly activate: typeof planActivate;
  readonly bless: typeof planBless;
  readonly rollback: typeof planRollback;
  readonly cancel: typeof planCancel;
  readonly recover: typeof planRecover;
}

export const ourPlanners: Planners = {
  stage: planStage,
  activate: planActivate,
  bless: planBless,
  rollback: planRollback,
  cancel: planCancel,
  recover: planRecover,
};

export interface World {
  readonly planners: Planners;
  /** Versions that start and never become healthy. */
  readonly bad: ReadonlySet<string>;
  readonly tries: number;
}

export type Action =
  | { readonly do: 'stage'; readonly version: string }
  | { readonly do: 'activate' | 'bless' | 'rollback' | 'cancel' | 'recover' | 'restart' };

/** Everything that may come of an action, by whether and where power goes. */
export interface Outcome {
  /** Running machines after the action, and after the restart that belongs to it. */
  readonly finished: readonly Machine[];
  /** Disks that a cut leaves, in the order of the writes. */
  readonly cuts: readonly ModelDisk[];
}

/** act carries an action out; undefined when it is refused. */
export function act(world: World, machine: Machine, action: Action): Outcome | undefined {
  const steps = plan(world, factsOf(machine), action);
  if (!steps) return undefined;
  const cuts: ModelDisk[] = [machine.disk];
  let now = machine;
  for (const step of steps) {
    for (const write of execute(now, step)) {
      cuts.push(...write.torn, write.done);
      now = { ...now, disk: write.done };
    }
  }
  const after: Machine = { ...now, disk: tidy(now.disk) };
  const restarts = action.do === 'activate' || action.do === 'rollback' || action.do === 'restart';
  if (!restarts) return { finished: [after], cuts };
  return { finished: powerOn(world, after.disk), cuts: [...cuts, ...start(after.disk).cuts] };
}

/**
 * powerOn starts the machine until it runs a version that is proven or may prove itself: panics and versions that do not become
 * healthy end in another start. Every way it may go. Fails when it comes to no end.
 */
export function powerOn(world: World, disk: ModelDisk): Machine[] {
  const running = new Map<string, Machine>();
  let waiting: ModelDisk[] = [tidy(disk)];
  for (let boots = 0; waiting.length > 0; boots++) {
    assert.ok(boots < 12, 'it starts again and again');
    const next = new Map<string, ModelDisk>();
    for (const before of waiting) {
      assertGood(before);
      for (const { disk: now, booted, proven } of start(before).starts) {
        if (booted && (proven || !world.bad.has(booted.version))) {
          const machine = { disk: now, booted };
          running.set(JSON.stringify(machine), machine);
        } else next.set(JSON.stringify(now), now);
      }
    }
    waiting = [...next.values()];
  }
  assert.ok(running.size > 0);
  return [...running.values()];
}

/** assertGood holds a disk against the first rule: a proven version is there, whole, with a boot entry that starts it. */
export function assertGood(disk: ModelDisk): void {
  const good = Object.entries(disk.files).some(([file, chain]) => {
    const entry = parseBootEntryName(file);
    const whole = disk.chains[chain]?.state === 'whole';
    return (
      entry !== undefined &&
      entry.triesLeft === undefined &&
      whole &&
      rootOf(disk, entry.version) !== undefined
    );
  });
  assert.ok(good, 'no good slot is left');
  assert.ok(choices(disk).length > 0);
}

/**
 * assertUpdatable holds a running machine against the last rule: after recovering, and proving what runs, it takes a version that was
 * never there, and runs it.
 */
export function assertUpdatable(world: World, machine: Machine, version: string): void {
  const fresh: World = { ...world, bad: new Set([...world.bad].filter((one) => one !== version)) };
  let now = finish(fresh, machine, { do: 'recover' });
  now = finish(fresh, now, { do: 'bless' }, machine.booted.version);
  now = finish(fresh, now, { do: 'stage', version });
  now = finish(fresh, now, { do: 'activate' });
  assert.equal(now.booted.version, version, 'the new version does not run');
  now = finish(fresh, now, { do: 'bless' });
  // And nothing of the way is left behind: two versions, two files.
  const files = Object.keys(now.disk.files);
  assert.equal(files.length, 2, `something is left behind: ${files.join(' ')}`);
}

function finish(world: World, machine: Machine, action: Action, otherwise?: string): Machine {
  let outcome: Outcome | undefined;
  try {
    outcome = act(world, machine, action);
  } catch (error) {
    const state = JSON.stringify(machine.disk.files);
    throw new Error(`cannot be updated (${action.do}): ${(error as Error).message}: ${state}`, {
      cause: error,
    });
  }
  // What runs without a boot entry was rolled back from: the restart that belongs to it is still to come.
  if (!outcome && otherwise !== undefined) [machine] = powerOn(world, machine.disk) as [Machine];
  const [first] = outcome?.finished ?? [machine];
  assert.ok(first && (outcome || otherwise !== undefined), `cannot be updated: ${action.do} is refused`);
  return first;
}

function plan({ planners, tries }: World, facts: SlotDisk, action: Action): DiskStep[] | undefined {
  try {
    switch (action.do) {
      case 'stage':
        return planners.stage(facts, { version: action.version, rootHash: rootHashOf(action.version) });
      case 'activate':
        return planners.activate(facts, facts.staged?.version ?? '', tries);
      case 'bless':
        return planners.bless(facts);
      case 'rollback':
        return planners.rollback(facts);
      case 'cancel':
        return planners.cancel(facts);
      case 'recover':
        return planners.recover(facts);
      case 'restart':
        return [];
    }
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('update/')) return undefined;
    throw error;
  }
}
