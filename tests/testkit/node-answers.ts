import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type GetHealthResponse, HealthState, type NodeClient, Verdict } from '@plinth/api';

/** A node that is starting is degraded; it may take this long until it has settled, without KVM on a busy computer. */
const SETTLE_TIMEOUT_MS = 300_000;
const POLL_MS = 3_000;

/** settledHealth asks until `isSettled` holds or the time is over, and gives the last answer. */
export async function settledHealth(
  client: NodeClient,
  isSettled: (health: GetHealthResponse) => boolean,
): Promise<GetHealthResponse> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const health = await client.getHealth();
    if (isSettled(health) || performance.now() >= deadline) return health;
    await sleep(POLL_MS);
  }
}

export const isHealthy = ({ state }: GetHealthResponse): boolean => state === HealthState.HEALTHY;

/** failing names the checks that do not pass, with what was seen: readable in the message of an assertion. */
export function failing(checks: readonly Check[]): string[] {
  return checks
    .filter(({ verdict }) => verdict !== Verdict.PASS)
    .map(
      ({ id, verdict, observed }) =>
        `${id} ${verdict === Verdict.FAIL ? 'fails' : 'is unknown'}: ${observed}`,
    );
}

/** verdictOf gives the verdict of one check; undefined when there is no such check. */
export function verdictOf(checks: readonly Check[], id: string): Verdict | undefined {
  return checks.find((check) => check.id === id)?.verdict;
}
