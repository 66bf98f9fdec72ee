import { setTimeout as sleep } from 'node:timers/promises';
import { type GetHealthResponse, HealthState, type NodeClient } from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';

const ASK_EVERY_MS = 1_000;

/**
 * waitForHealth asks a node until it is healthy or the time is over, and gives its last answer: an unhealthy node is an
 * answer too. A node that answers once and then does not is asked again, because it may still be starting.
 * @throws cli/interrupted; api/… when the last call failed
 */
export async function waitForHealth(
  client: NodeClient,
  timeoutMs: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<GetHealthResponse> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const isLast = performance.now() + ASK_EVERY_MS >= deadlineMs;
    try {
      const health = await client.getHealth();
      if (health.state === HealthState.HEALTHY || isLast) return health;
      const open = health.checks.filter(({ fix }) => fix !== '').map(({ id }) => id);
      progress.note(open.join(', '));
    } catch (reason) {
      if (isLast || !(reason instanceof PlinthError && reason.retryable)) throw reason;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', 'Cannot wait for the node: interrupted');
    });
  }
}
