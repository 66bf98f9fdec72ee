import { setTimeout as sleep } from 'node:timers/promises';
import { type GetHealthResponse, HealthState, type NodeClient, Verdict } from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';

const ASK_EVERY_MS = 1_000;
/** Faults that stay the same for this long will not go away by waiting. */
const STUCK_AFTER_MS = 60_000;

/**
 * waitForHealth asks a node until it is healthy, its faults no longer change, or the time is over, and gives its last
 * answer: an unhealthy node is an answer too. A node that answers once and then does not is asked again, because it may still be starting.
 * @param unfitStuckAfterMs how long faults of a node that is unhealthy, not only degraded, may stay the same
 * @throws cli/interrupted; api/… when the last call failed
 */
export async function waitForHealth(
  client: Pick<NodeClient, 'getHealth'>,
  timeoutMs: number,
  signal: AbortSignal,
  progress: Progress,
  unfitStuckAfterMs: number = STUCK_AFTER_MS,
): Promise<GetHealthResponse> {
  const deadlineMs = performance.now() + timeoutMs;
  let faults = '';
  let unchangedSinceMs = performance.now();
  for (;;) {
    const isLast = performance.now() + ASK_EVERY_MS >= deadlineMs;
    try {
      const health = await client.getHealth();
      const open = faultsOf(health).join(', ');
      if (open !== faults) [faults, unchangedSinceMs] = [open, performance.now()];
      const patienceMs = health.state === HealthState.UNHEALTHY ? unfitStuckAfterMs : STUCK_AFTER_MS;
      const isStuck = performance.now() - unchangedSinceMs > patienceMs;
      if (health.state === HealthState.HEALTHY || isLast || isStuck) return health;
      progress.note(open);
    } catch (reason) {
      if (isLast || !(reason instanceof PlinthError && reason.retryable)) throw reason;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', 'Cannot wait for the node: interrupted');
    });
  }
}

/** faultsOf names the checks that do not pass. */
function faultsOf({ checks }: GetHealthResponse): string[] {
  return checks.filter(({ verdict }) => verdict !== Verdict.PASS).map(({ id }) => id);
}
