import { createHash } from 'node:crypto';
import type { BootstrapContainer } from '@plinth/config';
import { z } from 'zod';

/** What is known of one container: enough to go on after a crash, and nothing secret. */
const record = z.object({
  name: z.string(),
  /** Of everything the config says of it, its data included. */
  definition: z.string(),
  state: z.enum(['running', 'succeeded', 'failed']),
  /** The boot it was begun in. */
  bootId: z.string(),
  /** How often it was begun since it last came to an end. */
  attempts: z.number().int(),
  startedAtMs: z.number(),
  durationMs: z.number(),
  /** Undefined when it never got so far. */
  exitCode: z.number().int().optional(),
  /** Why it failed, for people; empty otherwise. */
  reason: z.string(),
  /** The end of what it wrote. */
  output: z.string(),
  /** Whether its image was brought to the node for it. */
  pulled: z.boolean(),
  /** Whether it is not tried again before its definition changes. */
  givenUp: z.boolean(),
});
export type ContainerRecord = z.infer<typeof record>;

/** How a run came out. */
export type RunEnd = Pick<ContainerRecord, 'exitCode' | 'reason' | 'output'>;

export const stateSchema = z.object({
  version: z.literal(1),
  /** The boot whose workloads were let start: nothing runs in it any more. */
  passedBootId: z.string(),
  records: z.array(record),
});
/** Everything that is stored. */
export type BootstrapState = z.infer<typeof stateSchema>;

export const NOTHING_RUN: BootstrapState = { version: 1, passedBootId: '', records: [] };

/** A container whose start ends the system each time must not do so for ever. */
export const MOST_ATTEMPTS = 3;

/** definitionOf tells whether a container is still the one it was. */
export function definitionOf(spec: BootstrapContainer): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex');
}

/** recordOf gives what is known of a container. */
export function recordOf(state: BootstrapState, name: string): ContainerRecord | undefined {
  return state.records.find((each) => each.name === name);
}

/**
 * isDue tells whether a container has to run before the workloads of this boot. One that was begun and has no end was cut
 * off and runs again: at least once, not exactly once. One that failed is tried again in the next boot. Pure.
 */
export function isDue(spec: BootstrapContainer, state: BootstrapState, bootId: string): boolean {
  if (state.passedBootId === bootId) return false;
  const last = recordOf(state, spec.name);
  if (!last || last.state === 'running') return true;
  const changed = last.definition !== definitionOf(spec);
  if (last.state === 'failed') return changed || (!last.givenUp && last.bootId !== bootId);
  switch (spec.run) {
    case 'once':
      return false;
    case 'on-change':
      return changed;
    case 'every-boot':
      return changed || last.bootId !== bootId;
  }
}

/** begun is the state with a container that is about to run; it has to be stored before it does. Pure. */
export function begun(
  state: BootstrapState,
  spec: BootstrapContainer,
  { bootId, nowMs }: { bootId: string; nowMs: number },
): BootstrapState {
  const last = recordOf(state, spec.name);
  const definition = definitionOf(spec);
  const cutOff = last?.state === 'running' && last.definition === definition;
  return withRecord(state, {
    ...{ name: spec.name, definition, bootId },
    ...{ state: 'running', attempts: (cutOff ? last.attempts : 0) + 1, startedAtMs: nowMs, durationMs: 0 },
    ...{ reason: '', output: '', givenUp: false },
    // Whoever began it may have pulled the image before it was cut off.
    pulled: cutOff && last.pulled,
  });
}

/** isGivenUp tells whether a container that is about to run was cut off too often. */
export function isGivenUp(state: BootstrapState, name: string): boolean {
  return (recordOf(state, name)?.attempts ?? 0) > MOST_ATTEMPTS;
}

/** ended is the state with the end of a container. Pure. */
export function ended(
  state: BootstrapState,
  name: string,
  end: RunEnd & { readonly durationMs: number; readonly givenUp?: boolean },
): BootstrapState {
  const last = recordOf(state, name);
  if (!last) return state;
  const succeeded = end.exitCode === 0 && end.reason === '';
  return withRecord(state, {
    ...last,
    givenUp: false,
    ...end,
    ...{ state: succeeded ? 'succeeded' : 'failed', attempts: 0, pulled: false },
  });
}

/** imagePulled notes that the image came for this container, so that it goes with it. Pure. */
export function imagePulled(state: BootstrapState, name: string): BootstrapState {
  const last = recordOf(state, name);
  return last ? withRecord(state, { ...last, pulled: true }) : state;
}

/** passed is the state in which the workloads of a boot may start. Records of containers that are no longer asked for go. Pure. */
export function passed(
  state: BootstrapState,
  specs: readonly BootstrapContainer[],
  bootId: string,
): BootstrapState {
  const names = new Set(specs.map(({ name }) => name));
  return { ...state, passedBootId: bootId, records: state.records.filter(({ name }) => names.has(name)) };
}

/** essentialFailures are the essential containers whose last run did not end well; what is due has to run before. Pure. */
export function essentialFailures(
  specs: readonly BootstrapContainer[],
  state: BootstrapState,
): readonly string[] {
  return specs
    .filter(({ essential, name }) => essential && recordOf(state, name)?.state !== 'succeeded')
    .map(({ name }) => name);
}

function withRecord(state: BootstrapState, next: ContainerRecord): BootstrapState {
  return { ...state, records: [...state.records.filter(({ name }) => name !== next.name), next] };
}
