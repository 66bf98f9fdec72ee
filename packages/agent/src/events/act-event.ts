import type { ActRecord } from '../kubernetes/acts/act.ts';
import type { NewEvent } from './event-bus.ts';

/** actEvent tells how far an act is: its state, and the step or the failure it is at. */
export function actEvent({ kind, state, steps, failure }: ActRecord): NewEvent {
  const running = steps.find((step) => step.state === 'running');
  const text = failure ? `${failure.message} [${failure.code}]` : (running?.title ?? '');
  return { topic: 'act', subject: kind, state, text };
}
