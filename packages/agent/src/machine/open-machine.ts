import { messageOf, PlinthError } from '@plinth/base';
import type { NodeConsole } from '../console.ts';
import { pause, type Sleep } from '../repeat.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readAct, writeAct } from './act-store.ts';
import type { NodeDrain } from './drain-node.ts';
import type { EndSystem } from './end-system.ts';
import { actAfterBoot, isUnderWay, type MachineAct, type MachineRequest } from './machine-act.ts';
import type { ResetMark } from './reset-mark.ts';

export interface MachineParts {
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly nodeName: string;
  readonly bootId: string;
  readonly nowMs: () => number;
  /** Milliseconds since the boot began. */
  readonly upMs: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly endSystem: EndSystem;
  readonly resetMark: ResetMark;
  readonly drain: NodeDrain;
  /** Whether the kubelet of this start reports the node ready; default: by the id of the boot. */
  isReady?(): Promise<boolean>;
  /** Whether the node can do its work. */
  isHealthy(): Promise<boolean>;
  /** Whether the system may end now; gives what was overridden, "" for nothing. Asked again after a drain. */
  mayEnd(request: MachineRequest, current: MachineAct | undefined): Promise<string>;
  /**
   * The last thing before the system ends for another version; may be called again after a kill. Gives how it ends.
   * @throws what stands in the way
   */
  prepareEnd?(update: NonNullable<MachineAct['update']>, act: MachineAct): Promise<'reboot' | 'soft-reboot'>;
  readonly sleep?: Sleep;
}

/** Machine runs at most one act on the machine, and goes on with it after a restart of plinthd and after the boot. */
export interface Machine {
  current(): MachineAct | undefined;
  /** The act that was about to end the boot it was asked in, when this start is of a later boot. */
  readonly ended: MachineAct | undefined;
  /** Stores an act and begins it. @throws what mayEnd throws, machine/reset-unsupported */
  begin(request: MachineRequest): Promise<MachineAct>;
  /** Resolves when no act runs in this process. */
  idle(): Promise<void>;
}

/** The answer has to get to the client first. */
const ANSWER_MS = 1_000;
/** The kubelet may take 60 s for its pods, and units their time to stop. */
const END_LIMIT_MS = 10 * 60_000;
const POLL_MS = 5_000;

/** openMachine reads the stored act, from before this boot or this start, and goes on with it. */
export async function openMachine(parts: MachineParts): Promise<Machine> {
  const { store, console, bootId, nowMs, upMs, signal, sleep = pause } = parts;
  const stored = await readAct(store, console.say);
  let act = stored && actAfterBoot(stored, bootId);
  let running: Promise<void> | undefined;
  let beginning = false;

  const save = async (change: Partial<MachineAct>): Promise<MachineAct | undefined> => {
    if (!act) return undefined;
    act = { ...act, ...change };
    await writeAct(store, act);
    return act;
  };

  /** Puts the act one state further until it has ended or the system has. */
  async function run(override: string): Promise<void> {
    try {
      if (act?.state === 'draining') await drain(act, override);
      if (act?.state === 'ending') await end(act);
      if (act?.state === 'returning') await takePodsAgain();
    } catch (reason) {
      if (signal.aborted) return; // the system ends, or plinthd does: the next start goes on
      await giveUp(PlinthError.from(reason, 'machine/act-failed', `Cannot ${act?.kind} the node`));
    }
  }

  async function drain(draining: MachineAct, override: string) {
    const { kind, drain: wanted, askedBy, reason, overridden, authorization } = draining;
    if (!wanted) throw new Error('no drain was asked for');
    if (!wanted.cordoned && !(await parts.drain.isCordoned())) {
      // Stored first: a restart in between must know whose doing it is.
      await save({ drain: { ...wanted, cordoned: true } });
    }
    if (act?.drain?.cordoned) await parts.drain.cordon(kind);
    console.say(`machine: the node takes no pods: ${kind} asked for by ${askedBy}`);
    await parts.drain.empty({
      evictUnmanaged: wanted.evictUnmanaged,
      deadlineMs: wanted.deadlineMs,
      signal,
      note: (note) => {
        if (act) act = { ...act, note };
      },
    });
    // Minutes have passed: another control plane may be away by now, or the permission over.
    const typed = override || (overridden && parts.nodeName);
    await parts.mayEnd(
      { kind, askedBy, reason, override: typed, drain: undefined, authorization },
      undefined,
    );
    await save({ state: 'ending', note: '' });
  }

  async function end(ending: MachineAct): Promise<void> {
    const { kind, askedBy, reason, update } = ending;
    const way = (update && (await parts.prepareEnd?.(update, ending))) ?? 'reboot';
    if (kind === 'reset') await parts.resetMark.set();
    console.say(`machine: ${kind} asked for by ${askedBy}${reason && `: ${reason}`}`);
    await sleep(ANSWER_MS, signal);
    await parts.endSystem(kind === 'shutdown' ? 'poweroff' : way);
    await sleep(END_LIMIT_MS, signal);
    if (signal.aborted) return;
    throw new PlinthError(
      'machine/act-failed',
      `Cannot ${kind} the node: the system still runs after ${END_LIMIT_MS / 60_000} minutes, expected its end`,
    );
  }

  async function takePodsAgain(): Promise<void> {
    while (!signal.aborted) {
      const trouble = await whyNotYet();
      if (trouble === undefined) break;
      if (act && act.note !== trouble) act = { ...act, note: trouble };
      await sleep(POLL_MS, signal);
    }
    if (signal.aborted) return;
    console.say('machine: the node takes pods again');
    await save({ state: act?.failure ? 'failed' : 'done', note: '' });
  }

  /** Undefined once the node takes pods again. */
  async function whyNotYet(): Promise<string | undefined> {
    try {
      // A node that has not ended is as it was before.
      if (!act?.failure) {
        if (!(await (parts.isReady?.() ?? parts.drain.isReady(bootId)))) return 'the kubelet is not ready';
        if (!(await parts.isHealthy())) return 'the node is not healthy';
      }
      await parts.drain.uncordon();
      return undefined;
    } catch (reason) {
      return messageOf(reason);
    }
  }

  async function giveUp({ code, message, hint }: PlinthError): Promise<void> {
    console.say(`machine: ${message} [${code}]`);
    if (act?.kind === 'reset')
      await parts.resetMark.clear().catch((reason: unknown) => console.say(`machine: ${reason}`));
    const failure = { code, message, hint };
    // It goes on as before, so it takes pods again; the failure is told of at once, and a restart in between knows both.
    await save({ failure, note: '', state: act?.drain?.cordoned ? 'returning' : 'failed' });
    if (act?.state === 'returning') await takePodsAgain();
  }

  function start(override: string): void {
    running = run(override)
      .catch((reason: unknown) => console.say(`machine: ${reason}`))
      .finally(() => {
        running = undefined;
      });
  }

  if (act && act !== stored) {
    await writeAct(store, act).catch(() => {}); // the next start comes to the same
    if (act.failure) console.say(`machine: ${act.failure.message} [${act.failure.code}]`);
    if (act.kind === 'reset') await parts.resetMark.clear().catch(() => {});
  }
  if (isUnderWay(act)) start('');

  return {
    current: () => act,
    ended: stored?.state === 'ending' && stored.bootId !== bootId ? stored : undefined,
    async begin(request) {
      if (beginning)
        throw new PlinthError(
          'machine/busy',
          `Cannot ${request.kind} the node: it was asked for another act`,
          {
            retryable: true,
          },
        );
      beginning = true;
      try {
        const overridden = await parts.mayEnd(request, act);
        const { kind, askedBy, reason, drain: wanted, update, authorization } = request;
        const begun: MachineAct = {
          ...{ kind, askedBy, reason, overridden, bootId, askedAtMs: nowMs(), note: '' },
          state: wanted ? 'draining' : 'ending',
          ...(update && { update }),
          ...(authorization && { authorization }),
          ...(wanted && {
            drain: {
              deadlineMs: (await upMs()) + wanted.timeoutMs,
              evictUnmanaged: wanted.evictUnmanaged,
              cordoned: false,
            },
          }),
        };
        await writeAct(store, begun);
        act = begun;
        start(request.override);
        return begun;
      } finally {
        beginning = false;
      }
    },
    idle: async () => running,
  };
}
