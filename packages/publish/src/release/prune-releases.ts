import { PlinthError } from '@plinth/base';
import type { Channel } from '@plinth/updates';
import { channelNames, requireChannel } from '../channel/channel-store.ts';
import { changeRepository, type RepositoryOptions } from '../repository/change-repository.ts';
import { type PrunePlan, planPrune } from './plan-prune.ts';

export interface PruneOptions extends RepositoryOptions {
  /** Releases that each channel keeps, beside its barriers. */
  readonly keep: number;
}

/** What went, and how much room it took. */
export interface PrunedReleases extends PrunePlan {
  readonly sizeBytes: number;
}

/**
 * pruneReleases takes old releases out of all channels and of the signed list at once. Their files stay for a week, for readers that
 * have the list of before; a refresh after that takes them away.
 * @throws publish/request-invalid, what changeRepository throws
 */
export async function pruneReleases(options: PruneOptions): Promise<PrunedReleases> {
  const { repoDir, keep } = options;
  if (!Number.isInteger(keep) || keep < 1) {
    throw new PlinthError('publish/request-invalid', `Cannot keep ${keep} releases, expected 1 or more`);
  }
  let pruned: PrunedReleases = { channels: [], versions: [], names: [], sizeBytes: 0 };
  await changeRepository(options, async ({ targets }) => {
    const channels: Channel[] = [];
    for (const name of channelNames(targets)) channels.push(await requireChannel(repoDir, targets, name));
    const plan = planPrune(channels, targets, keep);
    const sizeBytes = plan.names.reduce((sum, name) => sum + (targets[name]?.sizeBytes ?? 0), 0);
    pruned = { ...plan, sizeBytes };
    return { channels: plan.channels, withdrawn: plan.names };
  });
  return pruned;
}
