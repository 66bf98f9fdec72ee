import {
  actKindName,
  actStateName,
  type GetKubernetesResponse,
  membershipName,
  type NodeClient,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import {
  type ClusterRecord,
  isPaused,
  listMachines,
  type MachineStatus,
  type ObservedMember,
} from '@plinth/local';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';

const ASK_TIMEOUT_MS = 15_000;

/** What was seen of a member, with what the node itself answered. */
export interface SeenMember extends ObservedMember {
  readonly status?: MachineStatus;
  readonly answer?: GetKubernetesResponse;
}

/**
 * observeCluster looks at every machine of a cluster and asks every node that runs. A node that cannot be reached is
 * seen without an answer; one that answers with an error is an error.
 * @throws api/…, vm/…
 */
export async function observeCluster(
  record: ClusterRecord,
  context: Pick<CommandContext, 'env'>,
): Promise<SeenMember[]> {
  const machines = new Map((await listMachines()).map((machine) => [machine.name, machine]));
  return Promise.all(
    record.members.map(async ({ name }): Promise<SeenMember> => {
      const status = machines.get(name);
      if (!status) return { name, machine: 'absent' };
      if (status.state !== 'running') return { name, machine: 'stopped', status };
      if (await isPaused(status)) return { name, machine: 'paused', status };
      const answer = await answerOf(name, context);
      return { name, machine: 'running', status, ...(answer && { answer, node: nodeOf(answer) }) };
    }),
  );
}

/** useMember asks the node of a member, which its context leads to. @throws cli/context-missing, api/… */
export async function useMember<T>(
  name: string,
  { env }: Pick<CommandContext, 'env'>,
  timeoutMs: number,
  ask: (client: NodeClient) => Promise<T>,
): Promise<T> {
  const found = (await readContexts(contextsPath(env))).contexts[name];
  if (!found) {
    throw new PlinthError(
      'cli/context-missing',
      `Cannot reach node "${name}": it has no context, expected one`,
    );
  }
  using client = await connectTo(found, timeoutMs);
  return await ask(client);
}

async function answerOf(
  name: string,
  context: Pick<CommandContext, 'env'>,
): Promise<GetKubernetesResponse | undefined> {
  try {
    return await useMember(name, context, ASK_TIMEOUT_MS, (client) => client.kubernetes.get());
  } catch (reason) {
    // No context yet, or another certificate than before: the start of the machine settles both.
    const passes = ['cli/context-missing', 'api/unreachable', 'api/timeout', 'api/overloaded'];
    if (reason instanceof PlinthError && passes.includes(reason.code)) return undefined;
    throw reason;
  }
}

/** nodeOf puts an answer into the words of the planner; pure. */
export function nodeOf({ membership, act }: GetKubernetesResponse): NonNullable<ObservedMember['node']> {
  return {
    membership: membershipName(membership),
    ...(act && { act: { kind: actKindName(act.kind), state: actStateName(act.state) } }),
  };
}
