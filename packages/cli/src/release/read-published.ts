import { resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import {
  channelNames,
  type Expiry,
  loadRepository,
  readDeadlines,
  readExpiries,
  readTargetList,
  requireChannel,
} from '@plinth/publish';
import type { Channel, ChannelDeadlines } from '@plinth/updates';

/** What a repository says. */
export interface Published {
  readonly channels: readonly Channel[];
  readonly deadlines: readonly ChannelDeadlines[];
  readonly expiries: readonly Expiry[];
}

/**
 * readPublished reads the channels of a repository's folder, all or one, and when its metadata end.
 * @throws publish/repository-invalid, publish/not-published, update/channel-invalid, host/io
 */
export async function readPublished(repo: string, only?: string): Promise<Published> {
  const repoDir = resolve(repo);
  const stored = await loadRepository(repoDir);
  if (!stored) {
    throw new PlinthError(
      'publish/repository-invalid',
      `Cannot read ${repoDir}: it has no metadata, expected a release repository`,
    );
  }
  const targets = readTargetList(stored);
  const names = only === undefined ? channelNames(targets) : [only];
  const channels = await Promise.all(names.map((name) => requireChannel(repoDir, targets, name)));
  const deadlines = await Promise.all(names.map((name) => readDeadlines(repoDir, targets, name)));
  return { channels, deadlines, expiries: await readExpiries(repoDir) };
}
