import { PlinthError } from '@plinth/base';
import type { ReadFleet } from '@plinth/fleet';
import type { KubeConnection } from '@plinth/kube';
import { userKubeconfig } from '../cluster/kubeconfig.ts';
import type { CommandContext } from '../framework/context.ts';
import { text, type ValuesOf } from '../framework/options.ts';

/** Options of every command that asks a cluster by its kubeconfig. */
export const clusterOptions = {
  kubeconfig: text('FILE', 'Another kubeconfig than $KUBECONFIG'),
  kubeContext: text('NAME', 'Another context than its current one'),
} as const;

export type ClusterOptions = ValuesOf<typeof clusterOptions>;

/** withCluster connects to the cluster that is meant, for one piece of work. @throws kube/… */
export async function withCluster<T>(
  options: ClusterOptions,
  context: CommandContext,
  work: (connection: KubeConnection) => Promise<T>,
): Promise<T> {
  // Every start of the command reads the options above; what talks to a cluster is loaded when one is asked.
  const { openKubeConnection, readClusterAccess } = await import('@plinth/kube');
  const path = options.kubeconfig ?? userKubeconfig(context.env);
  using connection = openKubeConnection(await readClusterAccess(path, options.kubeContext, context.signal));
  return await work(connection);
}

/** readInstalled reads the fleet of a cluster that has one. @throws fleet/not-installed, kube/… */
export async function readInstalled(
  connection: KubeConnection,
  { signal }: CommandContext,
  withPods = false,
): Promise<ReadFleet> {
  const { readFleet } = await import('@plinth/fleet');
  try {
    return await readFleet(connection, { nowMs: Date.now(), withPods }, signal);
  } catch (reason) {
    if (!(reason instanceof PlinthError) || reason.code !== 'kube/not-found') throw reason;
    throw new PlinthError(
      'fleet/not-installed',
      `Cannot read the fleet of ${connection.server.host}: the cluster does not have its kinds`,
      { cause: reason },
    );
  }
}
