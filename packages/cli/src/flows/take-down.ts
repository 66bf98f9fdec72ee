import { listClusters } from '@plinth/local';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { destroyCluster, stopCluster } from './stop-cluster.ts';
import { stopNode } from './stop-node.ts';

/** What was stopped or removed. */
export interface TakenDown {
  readonly what: 'Cluster' | 'Machine';
  readonly outcome: string;
  readonly machines: readonly string[];
}

/**
 * takeDown stops the cluster of that name, or the machine, and removes it where asked to. A machine of a cluster is
 * never removed alone: the cluster would wait for it for ever.
 * @throws vm/not-found, host/locked, cli/usage
 */
export async function takeDown(name: string, wipe: boolean, context: CommandContext): Promise<TakenDown> {
  const clusters = await listClusters();
  if (clusters.some((cluster) => cluster.name === name)) {
    const record = await (wipe ? destroyCluster(name, context) : stopCluster(name, context));
    const machines = record.members.map((member) => member.name);
    return { what: 'Cluster', outcome: wipe ? 'removed' : 'stopped', machines };
  }
  const owner = clusters.find(({ members }) => members.some((member) => member.name === name));
  if (owner && wipe) {
    throw usageError(
      `machine "${name}" belongs to cluster "${owner.name}"`,
      `Run "plinth cluster remove-node ${name}".`,
    );
  }
  return { what: 'Machine', outcome: await stopNode(name, { wipe }, context), machines: [name] };
}
