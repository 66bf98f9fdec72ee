import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import type { NodeConsole } from '../../console.ts';
import type { StateStore } from '../../sys/state-store.ts';
import { FOLDER } from '../paths.ts';
import { type ActKind, type ActRecord, actRecordSchema, newAct, type Plan } from './act.ts';
import { runAct } from './run-act.ts';

const NAME = `${FOLDER}/act.json`;

/** ActQueue runs at most one act, and goes on with it after a restart of plinthd. */
export interface ActQueue {
  /** The act that runs, or the last one. */
  current(): ActRecord | undefined;
  /**
   * Begins an act, or goes on with one of the same kind that failed: steps that are done stay done when it was asked
   * for the same. Returns once it is stored.
   * @param prepare stores what the steps need besides the request; runs before anything of the act is stored
   * @throws kubernetes/busy, kubernetes/act-unfinished
   */
  begin(plan: Plan, request: unknown, prepare?: () => Promise<void>): Promise<void>;
  /** Goes on with the act that was running when plinthd ended. */
  resume(planOf: (kind: ActKind, request: unknown) => Plan): void;
  /** Resolves when no act runs. */
  idle(): Promise<void>;
}

export interface ActQueueParts {
  readonly store: StateStore;
  readonly console: NodeConsole;
  nowMs(): number;
  readonly signal: AbortSignal;
  /** Told of each record that was stored. */
  readonly onAct?: ((record: ActRecord) => void) | undefined;
}

/** openActQueue reads the stored act. @throws kubernetes/state-unreadable */
export async function openActQueue(parts: ActQueueParts): Promise<ActQueue> {
  const { store, console, nowMs, signal, onAct } = parts;
  let record = await readAct(store);
  let running: Promise<void> | undefined;
  let beginning = false;
  const save = async (next: ActRecord) => {
    await store.write(NAME, Buffer.from(`${JSON.stringify(next, undefined, 2)}\n`));
    record = next;
    onAct?.(next);
  };
  const go = (plan: Plan, from: ActRecord) => {
    running = runAct(plan, from, { console, nowMs, save, signal })
      .then(
        () => {},
        (reason: unknown) => console.say(`${plan.kind}: cannot store the act: ${String(reason)}`),
      )
      .finally(() => {
        running = undefined;
      });
  };
  return {
    current: () => record,
    async begin(plan, request, prepare) {
      if (running || beginning) throw busy(record);
      refuseOther(record, plan);
      beginning = true;
      try {
        await prepare?.();
        const next = continued(record, plan, request, nowMs());
        await save(next);
        go(plan, next);
      } finally {
        beginning = false;
      }
    },
    resume(planOf) {
      if (running || record?.state !== 'running') return;
      console.say(`${record.kind}: goes on after a restart`);
      go(planOf(record.kind, record.request), record);
    },
    async idle() {
      while (running) await running;
    },
  };
}

/** A failed act of the same kind and request keeps the steps that are done. */
function continued(record: ActRecord | undefined, plan: Plan, request: unknown, nowMs: number): ActRecord {
  const fresh = newAct(plan, request, nowMs);
  const same = record?.kind === plan.kind && unfinished(record) && isDeepStrictEqual(record.request, request);
  const steps = fresh.steps.map((step) => {
    const earlier =
      record?.kind === plan.kind ? record.steps.find(({ name }) => name === step.name) : undefined;
    if (!earlier || !unfinished(record)) return step;
    // What was begun may have left traces, also for another request.
    return same && earlier.state === 'done' ? earlier : { ...step, attempts: earlier.attempts };
  });
  return { ...fresh, steps };
}

/** Half a join must be brought to its end, or taken back by leaving, before something else is begun. */
function refuseOther(record: ActRecord | undefined, plan: Plan): void {
  if (!record || !unfinished(record) || record.kind === plan.kind || plan.kind === 'leave') return;
  throw new PlinthError(
    'kubernetes/act-unfinished',
    `Cannot begin ${plan.kind}: ${record.kind} has failed on this node, expected it to be done`,
  );
}

function busy(record: ActRecord | undefined): PlinthError {
  return new PlinthError(
    'kubernetes/busy',
    `Cannot begin: ${record?.kind ?? 'an act'} runs on this node, expected none`,
    { retryable: true },
  );
}

async function readAct(store: StateStore): Promise<ActRecord | undefined> {
  const bytes = await store.read(NAME);
  if (!bytes) return undefined;
  try {
    return actRecordSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/state-unreadable', `Cannot read ${NAME}`);
  }
}

/** Failed, or cut off in a way that could not be stored. */
function unfinished(record: ActRecord | undefined): boolean {
  return record?.state === 'failed' || record?.state === 'running';
}
