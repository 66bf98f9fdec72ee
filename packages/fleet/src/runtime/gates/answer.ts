import type { GateResult } from '../../objects/index.ts';

/** What a gate says now: whether it holds, or why nobody can tell. */
export type Answer = Pick<GateResult, 'state' | 'reason'>;

const TEXT_LIMIT = 1000;

/** The gate holds. */
export function passed(text: string): Answer {
  return { state: 'pass', reason: { code: 'gate/holds', text: text.slice(0, TEXT_LIMIT) } };
}

/** The gate was asked, and does not hold. */
export function failed(text: string): Answer {
  return { state: 'fail', reason: { code: 'gate/fails', text: text.slice(0, TEXT_LIMIT) } };
}

/** Nobody can tell, which holds back as a failure does. */
export function unknown(code: string, text: string): Answer {
  return { state: 'unknown', reason: { code, text: text.slice(0, TEXT_LIMIT) } };
}
