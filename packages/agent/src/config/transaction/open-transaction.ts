import { messageOf, PlinthError } from '@plinth/base';
import { type ConfigPlan, type MachineConfig, planConfig, renderConfig } from '@plinth/config';
import type { CheckResult } from '../../checks/check.ts';
import type { NodeConsole } from '../../console.ts';
import { type InTurn, inTurn } from '../../in-turn.ts';
import { pause } from '../../repeat.ts';
import { isStarting } from '../../reports/system-state.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';
import type { Sys } from '../../sys/sys.ts';
import { bringAbout } from './bring-about.ts';
import { type ChosenConfig, readBootTime, readRevision } from './choose-config.ts';
import type { ConfigStore } from './config-store.ts';
import type { MachineFiles } from './machine-files.ts';
import { obstacles } from './obstacles.ts';
import { type ConfigState, revisionOf } from './state.ts';
import { type BootTime, goBack, isLate, lateBecause, prove, stay, type Transition } from './transitions.ts';
import { addWork, workDone } from './work.ts';

/** The way to the client that began a trial. */
export interface ClientReach {
  /** Whether it is known to be cut; a client that hung up by itself says nothing about the way. */
  lost(): Promise<boolean>;
}

export interface TransactionParts {
  readonly sys: Sys;
  readonly store: ConfigStore;
  readonly console: NodeConsole;
  readonly files: MachineFiles;
  /** Ends this process so that it starts anew with the config: the answer to a change that plinthd reads once. */
  restartOwn(): void;
  /** Between two looks at an open transaction. */
  readonly tickMs: number;
  /** Between two looks at health while a config has to reach it. */
  readonly healthMs: number;
  /** Time for an answer to reach its client before the network may change; default 300 ms. */
  readonly answerMs?: number;
}

/** The machine config of a running node: one transaction at a time, brought about and watched over. */
export interface ConfigTransaction {
  readonly parts: TransactionParts;
  state(): ConfigState;
  config(): MachineConfig;
  /** Why the config is not in effect yet; empty when nothing has failed. */
  problem(): string;
  /** Checks in the way of health at the last look. */
  obstacles(): readonly string[];
  /** One try to bring about what is left to do; never throws. */
  settle(): Promise<void>;
  /** Gives it the checks of health; before that no config counts as healthy. */
  watchHealth(health: () => Promise<readonly CheckResult[]>): void;
  /** One look at deadline, work and health; what `run` does again and again. Throws what store and kernel throw. */
  step(): Promise<void>;
  /** Watches over deadlines and health until the signal aborts; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Critical checks that fail now. */
  failing(): Promise<readonly string[]>;
  /** Decides and stores; the machine follows a moment later, when the answer to the client is on its way. */
  decide<T>(make: (boot: BootTime) => Promise<Decision<T>>, reach?: ClientReach): Promise<T>;
}

/** What a call decides: a transition with the config that is in effect after it, or nothing. */
export interface Decision<T> {
  readonly next?: Transition;
  readonly config?: MachineConfig;
  readonly result: T;
}

const ANSWER_MS = 300;
/** Tries to bring about a config that was just applied, before the node goes back. */
const TRIES = 3;

/** openTransaction takes over the config that plinthd started with. */
export function openTransaction(chosen: ChosenConfig, parts: TransactionParts): ConfigTransaction {
  const { sys, store, console } = parts;
  const turn: InTurn = inTurn();
  let { state, config } = chosen;
  let problem = '';
  let failures = 0;
  let notBefore = 0;
  let nextHealth = 0;
  let standing: readonly string[] = [];
  let reach: ClientReach | undefined;
  let fresh = false;
  let rebootWanted = false;
  let wake = () => {};
  let look: () => Promise<readonly CheckResult[]> = async () => [];
  for (const line of chosen.said) console.say(`config: ${line}`);

  /** Stores a decision, then goes by it. Only what is stored is ever acted on, but for a way back. */
  async function take(
    next: Transition,
    to: MachineConfig,
    boot: BootTime,
    keep: (after: ConfigState) => Promise<void> = save,
  ): Promise<ConfigPlan> {
    const plan = planConfig(config, to);
    const moved = next.state.current !== state.current;
    const paths = renderConfig(to).map(({ path }) => path);
    const after = moved ? addWork(next.state, boot, { effects: plan.effects, paths }) : next.state;
    await keep(after);
    config = to;
    if (moved)
      [failures, problem, notBefore, nextHealth] = [
        0,
        '',
        performance.now() + (parts.answerMs ?? ANSWER_MS),
        0,
      ];
    for (const line of next.said) console.say(`config: ${line}`);
    wake();
    return plan;
  }

  async function save(after: ConfigState): Promise<void> {
    try {
      await store.save(after);
    } catch (reason) {
      // It may have been stored all the same: what is on the disk must be what is gone by.
      await store.save(state).catch(() => {});
      throw reason;
    }
    state = after;
  }

  /**
   * Goes by a state, stored or not: for what the stored one comes to as well when plinthd or the machine starts anew. A disk
   * that takes nothing must not keep a node from its way back.
   */
  async function saveIfPossible(after: ConfigState): Promise<void> {
    try {
      await save(after);
    } catch (reason) {
      state = after;
      console.say(`config: revision ${after.current} is gone by, but cannot be stored: ${messageOf(reason)}`);
    }
  }

  async function settle(): Promise<void> {
    if (state.work.done || performance.now() < notBefore) return;
    try {
      const files = renderConfig(config);
      const { owned, effects } = state.work;
      const { restartOwn } = await bringAbout(sys, parts.files, { files, owned, effects });
      await saveIfPossible(
        workDone(
          state,
          files.map(({ path }) => path),
        ),
      );
      problem = '';
      if (restartOwn) parts.restartOwn();
    } catch (reason) {
      const said = messageOf(reason);
      if (said !== problem) console.say(`config: revision ${state.current} is not in effect yet: ${said}`);
      problem = said;
      failures++;
      // Each try asks units that work to read their files again, too.
      if (failures >= TRIES)
        notBefore = performance.now() + Math.min(parts.tickMs * 2 ** Math.min(failures, 16), IDLE_MS);
    }
  }

  async function takeBack(because: string, boot: BootTime): Promise<void> {
    const next = goBack(state, because);
    const to = await readRevision(store, next.state, next.state.current).catch(messageOf);
    if (typeof to === 'string') {
      await take(stay(state, `${because}; ${to}`), config, boot, saveIfPossible);
      return;
    }
    const mode = revisionOf(state, state.current)?.mode;
    const before = state.work.reboot.length;
    await take(next, to, boot, saveIfPossible);
    reach = undefined;
    fresh = false;
    const why = state.work.reboot.slice(before);
    for (const each of why) console.say(`config: a reboot is needed to go back wholly: ${each}`);
    // A boot that failed is made again. One that went well does not end for a change that somebody tried.
    rebootWanted = why.length > 0 && (mode === 'staged' || mode === 'provisioning');
  }

  async function watchTrial(boot: BootTime): Promise<void> {
    const { trial } = state;
    if (!trial) return;
    if (isLate(state, boot)) await takeBack(lateBecause(trial), boot);
    else if (trial.until === 'confirmed' && (await reach?.lost()))
      await takeBack('cut the node off from the client that applied it', boot);
    else if (fresh && failures >= TRIES) await takeBack(`could not be brought about: ${problem}`, boot);
  }

  async function proveByHealth(): Promise<void> {
    const { trial, work } = state;
    const open = trial ? trial.until === 'healthy' : state.lastKnownGood !== state.current;
    if (!open || !work.done || performance.now() < nextHealth || (await isStarting(sys))) return;
    const checks = await look();
    nextHealth = performance.now() + parts.healthMs;
    standing = obstacles(checks, trial?.failingBefore);
    if (checks.length === 0 || standing.length > 0) return;
    await turn(async () => {
      // The look took its time: it speaks of the config that was in effect then.
      if (state.trial?.revision !== trial?.revision || !state.work.done) return;
      await take(prove(state, 'the node is healthy with it'), config, await readBootTime(sys));
    });
  }

  async function rebootForWayBack(): Promise<void> {
    if (!rebootWanted || !state.work.done) return;
    rebootWanted = false;
    console.say('config: the node restarts to go back');
    const args = ['start', '--no-block', '--job-mode=replace-irreversibly', 'reboot.target'];
    const { exitCode, stderr } = await sys.run(SYSTEMCTL, args);
    if (exitCode !== 0) console.say(`config: cannot restart the node: ${stderr.trim()}`);
  }

  async function step(): Promise<void> {
    await turn(async () => watchTrial(await readBootTime(sys)));
    await turn(settle);
    await proveByHealth();
    await rebootForWayBack();
  }

  /** Until the next look; a node whose config has proven itself need not look at all. */
  function restMs(): number | undefined {
    if (state.trial || !state.work.done) return parts.tickMs;
    return state.lastKnownGood === state.current ? undefined : parts.healthMs;
  }

  return {
    parts,
    state: () => state,
    config: () => config,
    problem: () => problem,
    obstacles: () => standing,
    settle: () => turn(settle),
    step,
    failing: async () => obstacles(await look()),
    watchHealth(health) {
      look = health;
    },
    async run(signal) {
      let said = '';
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const failure = await step().then(() => '', messageOf);
        if (failure !== '' && failure !== said) console.say(`config: ${failure}`);
        said = failure;
        const ms = restMs();
        await Promise.race([woken, pause(ms ?? IDLE_MS, signal)]);
      }
    },
    decide: (make, way) =>
      turn(async () => {
        const boot = await readBootTime(sys);
        const { next, config: to, result } = await make(boot);
        if (next) {
          await take(next, to ?? config, boot).catch((reason: unknown) => {
            throw PlinthError.from(reason, 'config/state-lost', 'Cannot store the config');
          });
          reach = way;
          fresh = to !== undefined;
        }
        return result;
      }),
  };
}

/** A look that finds nothing to do, in case something was missed. */
const IDLE_MS = 60_000;
