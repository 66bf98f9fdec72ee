import { integer, type ValuesOf } from '../framework/options.ts';
import { MEMBER_CALL_TIMEOUT_MS } from './call-timeout.ts';
import { nodeOptions } from './node-options.ts';

/** Options of every command that lets a node do an act and waits for its end. */
export const actOptions = {
  context: nodeOptions.context,
  timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'How long to wait; the node goes on'),
} as const;

/** actTimes are the bounds that the options say. */
export function actTimes({ timeout }: Pick<ValuesOf<typeof actOptions>, 'timeout'>) {
  return { callTimeoutMs: MEMBER_CALL_TIMEOUT_MS, actTimeoutMs: timeout * 1000 };
}
