import type { NodeConsole } from '../../console.ts';
import { type ActRecord, failureOf, type Plan, type Step, type StepRecord } from './act.ts';

/** What the runner works with. */
export interface RunActParts {
  readonly console: NodeConsole;
  nowMs(): number;
  /** Stores the record; the runner goes on only when it is stored. */
  save(record: ActRecord): Promise<void>;
  /** Aborted when plinthd stops: the act is then left as it is, for the next start. */
  readonly signal: AbortSignal;
}

/**
 * runAct does the steps of a plan that `record` does not have as done, and stores the record around each. It returns
 * the last record: done, failed, reverted, or still running when the signal ended it. Only `save` can make it throw.
 */
export async function runAct(plan: Plan, given: ActRecord, parts: RunActParts): Promise<ActRecord> {
  const { console, save, signal } = parts;
  let record = given;
  const put = async (name: string, change: Partial<StepRecord>) => {
    record = {
      ...record,
      steps: record.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
    };
    await save(record);
  };
  for (const step of plan.steps) {
    if (signal.aborted) return record;
    const before = record.steps.find(({ name }) => name === step.name);
    if (before?.state === 'done') continue;
    const attempts = before?.attempts ?? 0;
    const startedAtMs = parts.nowMs();
    const durationMs = () => Math.max(0, parts.nowMs() - startedAtMs);
    let note = '';
    await put(step.name, { state: 'running', attempts: attempts + 1, startedAtMs, durationMs: 0, note });
    console.say(`${plan.kind}: ${step.title}`);
    try {
      if (await step.isDone()) note = 'was done already';
      else await step.run({ earlierAttempts: attempts, signal, note: (text) => (note = text) });
    } catch (reason) {
      if (signal.aborted) return record;
      await put(step.name, { state: 'failed', durationMs: durationMs(), note });
      return await fail(plan, step, reason, record, parts);
    }
    await put(step.name, { state: 'done', durationMs: durationMs(), note });
  }
  record = { ...record, state: 'done' };
  await save(record);
  console.say(`${plan.kind}: done`);
  return record;
}

async function fail(
  plan: Plan,
  step: Step,
  reason: unknown,
  record: ActRecord,
  { console, save, signal }: RunActParts,
): Promise<ActRecord> {
  const failure = failureOf(reason);
  console.say(`${plan.kind} failed at ${step.name}: ${failure.message} [${failure.code}]`);
  console.say(`${plan.kind}: ${failure.hint}`);
  let ended: ActRecord = { ...record, state: 'failed', failure };
  if (plan.undo) {
    try {
      await plan.undo(step.name, signal);
      ended = { ...ended, state: 'reverted' };
      console.say(`${plan.kind}: what was done has been taken back`);
    } catch (undoReason) {
      const { message } = failureOf(undoReason);
      ended = {
        ...ended,
        failure: { ...failure, message: `${failure.message}; on the way back: ${message}` },
      };
      console.say(`${plan.kind}: the way back failed: ${message}`);
    }
  }
  await save(ended);
  return ended;
}
