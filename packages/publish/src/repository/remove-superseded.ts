import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '@plinth/host';
import { channelTarget, deadlinesTarget, REPOSITORY } from '@plinth/updates';
import { channelNames } from '../channel/channel-store.ts';
import type { StoredRepository } from './load-repository.ts';
import type { TargetList } from './plan-renewal.ts';
import { removeWithdrawn } from './withdrawn.ts';

/** Longer than any reader takes from the timestamp to what it leads to, a slow mirror included. */
const KEPT_MS = 7 * 86_400_000;

/**
 * removeSuperseded takes away metadata and channels that nothing refers to any more, a week after they were written, and files of releases
 * a week after they were pruned. Roots stay: a node that was away for long needs each of them.
 * @param stored what the repository says now
 * @throws host/io
 */
export async function removeSuperseded(
  repoDir: string,
  stored: StoredRepository,
  targets: TargetList,
  now: Date,
): Promise<void> {
  const metadata = join(repoDir, REPOSITORY.metadata);
  await removeOld(metadata, now, (name) => {
    const [, version, role] = /^(\d+)\.(targets|images|snapshot)\.json$/.exec(name) ?? [];
    if (role !== 'targets' && role !== 'images' && role !== 'snapshot') return false;
    return Number(version) < stored[role].metadata.signed.version;
  });
  const channels = new Set(
    channelNames(targets).flatMap((name) => [
      `${targets[channelTarget(name)]?.sha256}.${name}.json`,
      `${targets[deadlinesTarget(name)]?.sha256}.${name}.deadlines`,
    ]),
  );
  const folder = join(repoDir, REPOSITORY.targets, 'channels');
  await removeWithdrawn(repoDir, targets, now, KEPT_MS);
  await removeOld(
    folder,
    now,
    (name) => /^[0-9a-f]{64}\.[a-z][a-z0-9-]*\.(json|deadlines)$/.test(name) && !channels.has(name),
  );
}

async function removeOld(folder: string, now: Date, isSuperseded: (name: string) => boolean): Promise<void> {
  try {
    for (const name of (await readdir(folder)).filter(isSuperseded)) {
      const path = join(folder, name);
      if (now.getTime() - (await stat(path)).mtimeMs > KEPT_MS) await rm(path);
    }
  } catch (reason) {
    throw ioError(reason, `clear ${folder}`);
  }
}
