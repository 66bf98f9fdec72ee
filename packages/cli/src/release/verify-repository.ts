import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ioError } from '@plinth/host';
import { type RepositoryCheck, readTrustedRoot, serveRepository, verifyServed } from '@plinth/publish';
import { keyFolder } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import { readPublished } from './read-published.ts';

export interface VerifyRepositoryOptions {
  readonly channel: string | undefined;
  readonly root: string | undefined;
  readonly quick: boolean;
  readonly keys: string | undefined;
}

/**
 * verifyRepository looks at a repository as a node would. A folder is served on loopback for that, so that the same is done for
 * both.
 * @throws publish/keys-missing when nobody says which root to believe, publish/repository-invalid, host/io
 */
export async function verifyRepository(
  repo: string,
  options: VerifyRepositoryOptions,
  { env, progress, signal }: CommandContext,
): Promise<readonly RepositoryCheck[]> {
  const root = await readRoot(options, env);
  const look = (url: string, channels: readonly string[]) =>
    progress.step('Look at the repository', () =>
      verifyServed({ url, root, channels, files: !options.quick, signal }),
    );
  if (/^https?:\/\//.test(repo)) return look(repo.replace(/\/+$/, ''), [options.channel ?? 'stable']);
  const { channels } = await readPublished(repo, options.channel);
  const server = await serveRepository({ repoDir: resolve(repo) });
  try {
    return await look(
      server.url,
      channels.map(({ channel }) => channel),
    );
  } finally {
    await server.close();
  }
}

async function readRoot(
  { root, keys }: VerifyRepositoryOptions,
  env: CommandContext['env'],
): Promise<Uint8Array> {
  if (root === undefined) return readTrustedRoot(keyFolder({ keys }, env));
  return readFile(root).catch((reason) => Promise.reject(ioError(reason, `read ${root}`)));
}
