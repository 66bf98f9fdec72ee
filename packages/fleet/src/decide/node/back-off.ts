import { durationMs, type PolicySpec } from '../../objects/index.ts';

/** backOffMs is how long a node waits after so many tries that came to nothing: doubled each time, bounded. */
export function backOffMs({ drain: { retryBackoff } }: PolicySpec, attempts: number): number {
  return Math.min(
    durationMs(retryBackoff.max),
    durationMs(retryBackoff.initial) * 2 ** Math.min(attempts, 30),
  );
}
