import { isErrorCode, PlinthError } from '@plinth/base';
import { z } from 'zod';

export const actKinds = ['bootstrap', 'join', 'upgrade', 'leave'] as const;
export type ActKind = (typeof actKinds)[number];

const stepState = z.enum(['waiting', 'running', 'done', 'failed']);

const failure = z.object({ code: z.string(), message: z.string(), hint: z.string() });

const stepRecord = z.object({
  name: z.string(),
  title: z.string(),
  state: stepState,
  /** How often it was begun; what was begun before may have left traces. */
  attempts: z.number().int(),
  startedAtMs: z.number(),
  durationMs: z.number(),
  /** Last word of the step, for people. */
  note: z.string(),
});

/** An act as it is stored: enough to go on after a restart, and nothing secret. */
export const actRecordSchema = z.object({
  kind: z.enum(actKinds),
  state: z.enum(['running', 'done', 'failed', 'reverted']),
  /** What the act was asked to do; each kind has its own shape. */
  request: z.unknown(),
  steps: z.array(stepRecord),
  startedAtMs: z.number(),
  failure: failure.optional(),
});

export type ActRecord = z.infer<typeof actRecordSchema>;
export type StepRecord = z.infer<typeof stepRecord>;
export type ActFailure = z.infer<typeof failure>;

/** What a step is given while it works. */
export interface StepContext {
  /** Earlier tries of this step; above 0 it was interrupted or failed before. */
  readonly earlierAttempts: number;
  readonly signal: AbortSignal;
  /** A word for people; kept with the step. */
  note(text: string): void;
}

/**
 * One step of an act. A step may be interrupted anywhere and is then asked again: `isDone` says whether its effect is
 * there already, `run` must be right after any part of itself.
 */
export interface Step {
  /** Stable, lower case with hyphens. */
  readonly name: string;
  readonly title: string;
  isDone(): Promise<boolean>;
  run(context: StepContext): Promise<void>;
}

/** What an act will do, in order. */
export interface Plan {
  readonly kind: ActKind;
  readonly steps: readonly Step[];
  /** Takes back what was done when a step fails; absent where calling again is the way on. */
  readonly undo?: (failedStep: string, signal: AbortSignal) => Promise<void>;
}

/** newAct is the record of a plan that has not begun. */
export function newAct(plan: Plan, request: unknown, nowMs: number): ActRecord {
  return {
    kind: plan.kind,
    state: 'running',
    request,
    startedAtMs: nowMs,
    steps: plan.steps.map(({ name, title }) => ({
      name,
      title,
      state: 'waiting',
      attempts: 0,
      startedAtMs: 0,
      durationMs: 0,
      note: '',
    })),
  };
}

/** failureOf renders an error for the record, the API and the console. */
export function failureOf(reason: unknown): ActFailure {
  const { code, message, hint } = PlinthError.from(
    reason,
    'kubernetes/unit-failed',
    'Cannot finish the step',
  );
  return { code, message, hint };
}

/** errorOf is the opposite of failureOf, as far as that goes. */
export function errorOf({ code, message, hint }: ActFailure): PlinthError {
  return new PlinthError(isErrorCode(code) ? code : 'kubernetes/unit-failed', message, { hint });
}
