import { pause } from '../../repeat.ts';
import type { Asked } from './ask-service.ts';

export interface RoundsParts<T> {
  /** One try. Never throws. */
  readonly ask: (
    target: T,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ) => Promise<Asked>;
  readonly nowMs?: (() => number) | undefined;
  /** Ends a round early. */
  readonly signal?: AbortSignal | undefined;
  /** Pause after the first try of a round; it doubles. */
  readonly retryMs?: number | undefined;
}

const HURRY_MS = 2_000;
const TIMEOUT_MS = 5_000;
const TRIES = 3;
const RETRY_MS = 500;
/** Between two rounds that end without an answer. */
const REST_MS = { first: 5_000, most: 60_000 } as const;
const NEVER = new AbortController().signal;

/**
 * inRounds asks somebody on the network for a config. Rounds that give nothing are further and further apart, as far as the
 * one who is asked asks for; meanwhile what the last one gave is told again.
 * @returns asks, with `hurry` once and briefly: there is something else to go by
 */
export function inRounds<T>(parts: RoundsParts<T>): (target: T, hurry: boolean) => Promise<Asked> {
  const { ask, nowMs = () => performance.now(), retryMs = RETRY_MS, signal = NEVER } = parts;
  let last: Asked | undefined;
  let notBeforeMs = 0;
  let restMs: number = REST_MS.first;

  async function round(target: T, hurry: boolean): Promise<Asked> {
    const tries = hurry ? 1 : TRIES;
    for (let done = 1; ; done++) {
      const asked = await ask(target, { timeoutMs: hurry ? HURRY_MS : TIMEOUT_MS, signal });
      if (asked.kind !== 'unanswered' || done === tries || signal.aborted || asked.retryAfterMs !== undefined)
        return asked;
      await pause(retryMs * 2 ** (done - 1), signal, true);
    }
  }

  return async (target, hurry) => {
    if (last && nowMs() < notBeforeMs) return last;
    const asked = await round(target, hurry);
    if (asked.kind === 'given') {
      last = undefined;
      restMs = REST_MS.first;
    } else {
      last = asked;
      const wishedMs = asked.kind === 'unanswered' ? (asked.retryAfterMs ?? 0) : 0;
      notBeforeMs = nowMs() + Math.max(restMs, wishedMs);
      restMs = Math.min(restMs * 2, REST_MS.most);
    }
    return asked;
  };
}
