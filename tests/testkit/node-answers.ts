import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type GetHealthResponse, HealthState, type NodeClient, Verdict } from '@plinth/api';

/** A node that is starting is degraded; without KVM on a busy computer it may take this long until it has started. */
const START_TIMEOUT_MS = 300_000;
/** Answers after the start that may still be bad: units end in any order, and an address may come late. */
const PATIENCE = 5;
const POLL_MS = 3_000;

/** settledHealth asks until the answer is as wanted, or the node has no excuse any more; gives the last answer. */
export async function settledHealth(
  client: NodeClient,
  isWanted: (health: GetHealthResponse) => boolean = isHealthy,
): Promise<GetHealthResponse> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  let patience = PATIENCE;
  for (;;) {
    const health = await client.getHealth();
    if (isWanted(health) || performance.now() >= deadline) return health;
    const { finished } = await client.getBootReport();
    if (finished && patience-- === 0) return health;
    await sleep(POLL_MS);
  }
}

function isHealthy({ state }: GetHealthResponse): boolean {
  return state === HealthState.HEALTHY;
}

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
