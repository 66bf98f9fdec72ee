import { PlinthError } from '@plinth/base';
import type { MachineConfig } from '@plinth/config';

/** Name of the cluster the node is a member of; undefined when of none. @throws kubernetes/state-unreadable */
export type ClusterOf = () => Promise<string | undefined>;

/**
 * requireName refuses a config that renames a node its cluster knows by the old name.
 * @throws config/name-fixed, and what `clusterOf` throws: where nobody can tell, the name stays too
 */
export async function requireName(
  before: MachineConfig,
  after: MachineConfig,
  clusterOf: ClusterOf,
): Promise<void> {
  const [name, wanted] = [before.machine.name, after.machine.name];
  if (wanted === name) return;
  const cluster = await clusterOf();
  if (cluster === undefined) return;
  throw new PlinthError(
    'config/name-fixed',
    `Cannot rename the node to ${wanted}: it is ${name} in the cluster ${cluster}, expected the same name`,
  );
}
