import { resolve } from 'node:path';
import { exists } from '@plinth/host';
import { findCluster } from '@plinth/local';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';

/**
 * namedNodes tells whether a word means nodes, for --nodes: contexts, or a local cluster by its name. Undefined where there
 * is a file or folder of that name, or nothing at all: what is on disk comes first.
 */
export async function namedNodes(
  word: string,
  { env }: Pick<CommandContext, 'env'>,
): Promise<string | undefined> {
  if (await exists(resolve(word))) return undefined;
  const { contexts } = await readContexts(contextsPath(env));
  if (word.split(',').every((name) => Object.hasOwn(contexts, name))) return word;
  if (!/^[a-z0-9-]{1,63}$/.test(word)) return undefined;
  // No cluster of that name: then the word means nothing here, and the scan says so.
  const cluster = await findCluster(word).catch(() => undefined);
  return cluster?.members.map(({ name }) => name).join(',') || undefined;
}
