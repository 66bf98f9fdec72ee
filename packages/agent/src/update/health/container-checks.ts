import { messageOf } from '@plinth/base';
import type { BootstrapContainer, ContractCheck } from '@plinth/config';
import { type Finding, fail, pass, unknown } from '../../checks/check.ts';

/** What a container came to. */
export interface CheckRun {
  /** "" when it ended well. */
  readonly reason: string;
  /** The end of what it wrote. */
  readonly output: string;
}

export type RunCheckContainer = (spec: BootstrapContainer) => Promise<CheckRun>;

interface State {
  running: boolean;
  /** When it ended, on the clock that no one sets. */
  endedMs: number;
  finding: Finding | undefined;
}

/** How long a good end counts: all checks have to pass in one look, and a container takes longer than a look. */
const GOOD_FOR_MS = 60_000;
const PAUSE_MS = 10_000;
const WORDS_LIMIT = 200;

/**
 * openContainerChecks runs containers of a machine config as checks. A look does not wait for one: it starts it, or says how the last
 * run went.
 */
export function openContainerChecks(run: RunCheckContainer, upMs: () => number = () => performance.now()) {
  const states = new Map<string, State>();

  async function begin(spec: BootstrapContainer, state: State): Promise<void> {
    state.running = true;
    try {
      const { reason, output } = await run(spec);
      const words = output.trim().slice(-WORDS_LIMIT);
      state.finding = reason === '' ? pass('ended well') : fail(`${reason}${words && `: ${words}`}`);
    } catch (reason) {
      state.finding = unknown(messageOf(reason).slice(0, WORDS_LIMIT));
    } finally {
      state.running = false;
      state.endedMs = upMs();
    }
  }

  return (name: string, container: NonNullable<ContractCheck['container']>): Finding => {
    const spec = specOf(name, container);
    const key = JSON.stringify(spec);
    const state = states.get(key) ?? {
      running: false,
      endedMs: Number.NEGATIVE_INFINITY,
      finding: undefined,
    };
    states.set(key, state);
    const age = upMs() - state.endedMs;
    if (!state.running) {
      if (state.finding?.verdict === 'pass' && age < GOOD_FOR_MS) return state.finding;
      if (age >= PAUSE_MS) void begin(spec, state);
    }
    if (state.finding && state.finding.verdict !== 'pass') return state.finding;
    return unknown('it runs');
  };
}

/** A check is a bootstrap container that sees nothing of the node but its network. */
function specOf(name: string, container: NonNullable<ContractCheck['container']>): BootstrapContainer {
  const { image, command, args, timeout } = container;
  return {
    ...{ name: `check-${name}`, image, timeout, env: [], mounts: [], essential: false, run: 'every-boot' },
    ...(command && { command }),
    ...(args && { args }),
  };
}
