import { type ClusterRecord, findCluster, listClusters } from '@plinth/local';
import { chooseContext } from '../client/choose-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

/**
 * localCluster gives the local cluster that is meant: the one named, else the one that the current context is a node
 * of, else the only one, else "local".
 * @throws cluster/not-found
 */
export async function localCluster(
  name: string | undefined,
  { env }: Pick<CommandContext, 'env'>,
): Promise<ClusterRecord> {
  if (name !== undefined) return findCluster(name);
  const records = await listClusters();
  const file = await readContexts(contextsPath(env));
  const current = env['PLINTH_CONTEXT'] || file.current;
  const found = records.find(({ members }) => members.some((member) => member.name === current));
  const [only, ...others] = records;
  return found ?? (only && others.length === 0 ? only : findCluster('local'));
}

/**
 * clusterNodes names the contexts of all nodes of a cluster: those listed, else the members of the local cluster that
 * the current context belongs to.
 * @throws cli/usage when neither is known
 */
export async function clusterNodes(
  list: string | undefined,
  context: Pick<CommandContext, 'env'>,
): Promise<readonly string[]> {
  const file = await readContexts(contextsPath(context.env));
  if (list !== undefined) {
    const names = [...new Set(list.split(',').filter((name) => name !== ''))];
    for (const name of names) chooseContext(file, name, context.env);
    return names;
  }
  const records = await listClusters();
  const current = context.env['PLINTH_CONTEXT'] || file.current;
  const record =
    records.find(({ members }) => members.some((member) => member.name === current)) ??
    (current === undefined && records.length === 1 ? records[0] : undefined);
  if (record) return record.members.map(({ name }) => name);
  throw usageError(
    'the current node is of no local cluster, expected --nodes with the contexts of all nodes',
  );
}
