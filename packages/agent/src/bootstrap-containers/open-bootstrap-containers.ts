import { messageOf, PlinthError } from '@plinth/base';
import type { BootstrapContainer } from '@plinth/config';
import { type CheckSpec, fail, pass, passIf, unknown } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { pause } from '../repeat.ts';
import { readStored } from '../sys/read-stored.ts';
import type { StateStore } from '../sys/state-store.ts';
import {
  type BootstrapState,
  begun,
  type ContainerRecord,
  ended,
  essentialFailures,
  imagePulled,
  isDue,
  isGivenUp,
  MOST_ATTEMPTS,
  NOTHING_RUN,
  passed,
  type RunEnd,
  recordOf,
  stateSchema,
} from './records.ts';
import { OWNER, pullFor, pullPatience, type RunParts, removeImage, runContainer } from './run-container.ts';

const STORED = 'bootstrap-containers.json';
const RETRY_MS = 2_000;

export interface BootstrapParts extends Omit<RunParts, 'signal'> {
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly bootId: string;
  readonly nowMs: () => number;
  /** The containers that the config of this start asks for. */
  readonly specs: readonly BootstrapContainer[];
  readonly signal: AbortSignal;
  readonly retryMs?: number;
}

/** A container with what is known of it. */
export interface ContainerView {
  readonly spec: BootstrapContainer;
  readonly record: ContainerRecord | undefined;
  /** Whether it runs before the workloads of this boot, or runs now. */
  readonly due: boolean;
}

/** The bootstrap containers of a node. */
export interface BootstrapContainers {
  /** Fulfilled when workloads may start. @throws bootstrap/essential-failed, or the reason of the signal */
  beforeWorkloads(): Promise<void>;
  list(): readonly ContainerView[];
  readonly checks: readonly CheckSpec[];
  /** Resolves when nothing runs any more. */
  readonly idle: Promise<void>;
}

/** openBootstrapContainers runs what is due, one after the other, each at least once. */
export async function openBootstrapContainers(parts: BootstrapParts): Promise<BootstrapContainers> {
  const { store, console, bootId, nowMs, own, signal, retryMs = RETRY_MS } = parts;
  const specs = parts.specs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const stored = await readStored(store, STORED, stateSchema, () =>
    console.say('bootstrap: what is stored of earlier runs cannot be read and was put aside; all run again'),
  );
  let state = stored ?? NOTHING_RUN;
  let over = false;
  let unstored = false;
  /** A disk that takes nothing is no reason to keep workloads away: at worst something runs again. */
  const save = async (next: BootstrapState) => {
    state = next;
    try {
      await store.write(STORED, Buffer.from(JSON.stringify(next)));
    } catch (reason) {
      if (!unstored) console.say(`bootstrap: what ran cannot be stored: ${messageOf(reason)}`);
      unstored = true;
    }
  };

  async function runOne(spec: BootstrapContainer, pullUntilMs: number): Promise<void> {
    const { name } = spec;
    await save(begun(state, spec, { bootId, nowMs: nowMs() }));
    const startedMs = performance.now();
    const end = async (how: RunEnd, givenUp = false) => {
      const pulled = recordOf(state, name)?.pulled ?? false;
      const durationMs = Math.round(performance.now() - startedMs);
      if (pulled) await removeImage(parts, spec.image);
      await save(ended(state, name, { ...how, durationMs, givenUp }));
      console.say(`bootstrap: ${name} ${how.reason === '' ? 'ended well' : `failed: ${how.reason}`}`);
    };
    if (isGivenUp(state, name))
      return end(
        {
          exitCode: undefined,
          reason: `it was cut off ${MOST_ATTEMPTS} times, the last time in the middle of a run`,
          output: '',
        },
        true,
      );
    try {
      console.say(`bootstrap: ${name} from ${spec.image}`);
      if (await pullFor({ ...parts, signal }, spec, pullUntilMs)) await save(imagePulled(state, name));
      await end(await runContainer({ ...parts, signal }, spec));
    } catch (reason) {
      // Cut off, not failed: the next start runs it again.
      if (signal.aborted) throw reason;
      const { message } = PlinthError.from(reason, 'containers/failed', `Cannot run ${name}`);
      await end({ exitCode: undefined, reason: message, output: '' });
    }
  }

  /** The runtime may come up after plinthd. What an earlier start left there would hold names and files. */
  async function sweep(): Promise<void> {
    for (let said = false; ; ) {
      try {
        for (const id of await own.list(OWNER)) await own.remove(id);
        return;
      } catch (reason) {
        signal.throwIfAborted();
        if (!said) console.say(`bootstrap: waits for the container runtime: ${messageOf(reason)}`);
        said = true;
        await pause(retryMs, signal);
      }
    }
  }

  async function run(): Promise<void> {
    const due = specs.filter((spec) => isDue(spec, state, bootId));
    if (due.length > 0 || state.records.some((record) => record.state === 'running')) await sweep();
    const pullUntilMs = pullPatience(parts);
    for (const spec of due) {
      signal.throwIfAborted();
      await runOne(spec, pullUntilMs);
    }
    over = true;
    const [failed] = essentialFailures(specs, state);
    // Those that are not due in a boot whose workloads run already are no reason to stop them.
    if (failed === undefined || state.passedBootId === bootId) {
      if (specs.length > 0 || state.records.length > 0) await save(passed(state, specs, bootId));
      return;
    }
    throw new PlinthError(
      'bootstrap/essential-failed',
      `Cannot start workloads: the bootstrap container ${failed} failed: ${recordOf(state, failed)?.reason}, expected it to end well`,
    );
  }

  const running = run();
  const idle = running.then(
    () => {},
    () => {},
  );
  running.catch((reason: unknown) => {
    over = true;
    if (!signal.aborted) console.say(`bootstrap: ${reason instanceof Error ? reason.message : reason}`);
  });

  return {
    beforeWorkloads: () => running,
    list: () =>
      specs.map((spec) => ({
        spec,
        record: recordOf(state, spec.name),
        due: !over && isDue(spec, state, bootId),
      })),
    checks: checksOf(
      specs,
      () => state,
      () => over,
    ),
    idle,
  };
}

function checksOf(
  specs: readonly BootstrapContainer[],
  state: () => BootstrapState,
  over: () => boolean,
): readonly CheckSpec[] {
  const common = {
    source: 'the machine config, documents BootstrapContainer',
    cause: 'It ended with an error, took too long, or its image cannot be had.',
    fix: 'Run "plinth get bootstrap-containers" for what it wrote.',
  };
  const judge = (which: readonly BootstrapContainer[]) => {
    if (which.length === 0) return pass('none');
    const records = which.map(({ name }) => recordOf(state(), name));
    const failed = records.filter((record) => record?.state === 'failed');
    if (failed.length > 0) return fail(failed.map((each) => `${each?.name}: ${each?.reason}`).join('; '));
    if (!over()) return unknown('they run');
    return passIf(true, `${records.filter((record) => record?.state === 'succeeded').length} ended well`);
  };
  return [
    {
      ...common,
      id: 'bootstrap-containers',
      expected: 'each ended well',
      observe: async () => judge(specs.filter(({ essential }) => !essential)),
    },
    {
      ...common,
      id: 'essential-bootstrap-containers',
      expected: 'each ended well',
      critical: true,
      observe: async () => judge(specs.filter(({ essential }) => essential)),
    },
  ];
}
