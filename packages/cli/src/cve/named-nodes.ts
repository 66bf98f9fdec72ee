import { findCluster } from '@plinth/local';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';

/**
 * namedNodes tells whether a word that is nothing on disk means nodes, for --nodes: contexts, or a local cluster by its name.
 * Undefined where there is nothing of that name.
 */
export async function namedNodes(
  word: string,
  { env }: Pick<CommandContext, 'env'>,
): Promise<string | undefined> {
  const { contexts } = await readContexts(contextsPath(env));
  if (word.split(',').every((name) => Object.hasOwn(contexts, name))) return word;
  if (!/^[a-z0-9-]{1,63}$/.test(word)) return undefined;
  // No cluster of that name: then the word means nothing here, and the scan says so.
  const cluster = await findCluster(word).catch(() => undefined);
  return cluster?.members.map(({ name }) => name).join(',') || undefined;
}
