import { changeCluster, destroyMachine, listClusters, withCluster, withoutMember } from '@plinth/local';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { forgetNode, leaveCluster } from './node-acts.ts';
import { forgetContexts } from './stop-cluster.ts';

export interface RemoveNodeOptions {
  /** The node does not come back and is not asked. */
  readonly lost: boolean;
  readonly override: string;
  readonly callTimeoutMs: number;
  readonly actTimeoutMs: number;
}

/**
 * removeNode lets a node of a local cluster leave and be forgotten, and removes its machine and its context.
 * @returns the name of the cluster
 * @throws cli/usage when it is in none, or is the last one; api/…, cluster/act-failed
 */
export async function removeNode(
  name: string,
  options: RemoveNodeOptions,
  context: CommandContext,
): Promise<string> {
  const record = (await listClusters()).find(({ members }) => members.some((member) => member.name === name));
  if (!record) throw usageError(`machine "${name}" is in no local cluster, expected one that is`);
  if (record.members.length === 1) {
    throw usageError(
      `machine "${name}" is the only one of cluster "${record.name}"`,
      `Run "plinth cluster destroy ${record.name} --confirm ${record.name}".`,
    );
  }
  return withCluster(record.name, async () => {
    if (!options.lost) await leaveCluster(name, options.override, options, context);
    const other = record.members.find((member) => member.role === 'control-plane' && member.name !== name);
    // Without another control plane there is no cluster left that could remember it.
    if (other) await forgetNode(name, other.name, options, context);
    await context.progress.step(`Remove machine "${name}"`, () => destroyMachine(name));
    await changeCluster(record.name, (before) => withoutMember(before ?? record, name));
    await forgetContexts([name], context.env);
    return record.name;
  });
}
