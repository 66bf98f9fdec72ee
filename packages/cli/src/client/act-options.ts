import { integer, text, type ValuesOf } from '../framework/options.ts';

/** Options of every command that lets a node do an act and waits for its end. */
export const actOptions = {
  context: text('NAME', 'Which node; default: $PLINTH_CONTEXT, else the current context'),
  timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'How long to wait; the node goes on'),
} as const;

/** Bound on one call of a command that waits for an act; an invitation takes a minute under emulation. */
const CALL_TIMEOUT_MS = 180_000;

/** actTimes are the bounds that the options say. */
export function actTimes({ timeout }: Pick<ValuesOf<typeof actOptions>, 'timeout'>) {
  return { callTimeoutMs: CALL_TIMEOUT_MS, actTimeoutMs: timeout * 1000 };
}
