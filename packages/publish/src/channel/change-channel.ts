import { PlinthError } from '@plinth/base';
import {
  type Channel,
  type ChannelDeadline,
  type ChannelDeadlines,
  hotLayerImageName,
} from '@plinth/updates';
import { changeRepository, type RepositoryOptions } from '../repository/change-repository.ts';
import type { TargetList } from '../repository/plan-renewal.ts';
import { emptyChannel, readChannel, readDeadlines, requireChannel } from './channel-store.ts';
import { dropRule, editChannel, type RuleList, requireRelease } from './edit-channel.ts';

export interface ChannelOptions extends RepositoryOptions {
  readonly channel: string;
}

/** Something that is said about a version; without a reason it is taken back. */
export interface RuleRequest {
  readonly rule: RuleList | 'floor';
  readonly version: string;
  readonly reason?: string;
}

/**
 * changeRule says something about a version of a channel, or takes it back, and gives the channel as it is then.
 * @throws publish/not-published when the channel does not offer the version, publish/request-invalid when the security floor
 *   would go down or away, what changeRepository throws
 */
export async function changeRule(options: ChannelOptions, request: RuleRequest): Promise<Channel> {
  const { rule, version, reason } = request;
  return changeOne(options, (channel, targets) => {
    if (reason === undefined) {
      if (rule !== 'floor') return dropRule(channel, rule, version);
      throw new PlinthError(
        'publish/request-invalid',
        `Cannot take back the security floor of ${channel.channel}: nodes rely on it, expected a newer version`,
      );
    }
    // A hot layer can be blocked too: it is no release, but a target whose name says its version.
    const isHotLayer = Object.hasOwn(targets, hotLayerImageName(version));
    if (!(rule === 'block' && isHotLayer)) requireRelease(channel, version);
    return editChannel(channel, { do: rule, version, reason });
  });
}

/**
 * setDeadline says by when nodes should have a version of a channel, instead of what was said before; without `by` it is taken back.
 * Fleets bring their nodes to it by then inside their own bounds; no bound of theirs is loosened by it.
 * @returns all deadlines of the channel
 * @throws publish/not-published, update/channel-invalid, what changeRepository throws
 */
export async function setDeadline(
  options: ChannelOptions,
  { version, ...said }: { readonly version: string } & Partial<Pick<ChannelDeadline, 'by' | 'reason'>>,
): Promise<ChannelDeadlines> {
  const { repoDir, channel } = options;
  let changed: ChannelDeadlines = { format: 1, name: 'plinth', channel, deadlines: [] };
  await changeRepository(options, async ({ targets }) => {
    const offered = await requireChannel(repoDir, targets, channel);
    const before = await readDeadlines(repoDir, targets, channel);
    const others = before.deadlines.filter((each) => each.version !== version);
    if (said.by === undefined || said.reason === undefined) {
      if (others.length === before.deadlines.length)
        throw new PlinthError(
          'publish/not-published',
          `Cannot take back the deadline of ${version}: channel ${channel} has none, expected one`,
        );
      changed = { ...before, deadlines: others };
    } else {
      requireRelease(offered, version);
      changed = { ...before, deadlines: [...others, { version, by: said.by, reason: said.reason }] };
    }
    return { deadlines: [changed] };
  });
  return changed;
}

/**
 * promote offers a release of one channel in another as well: the same files, which nodes of the first one have tried.
 * @returns the channel it was promoted to
 * @throws publish/not-published, publish/release-refused when it is blocked where it comes from, what changeRepository throws
 */
export async function promote(
  options: RepositoryOptions,
  version: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Channel> {
  let promoted = emptyChannel(to);
  await changeRepository(options, async ({ targets }) => {
    const source = await requireChannel(options.repoDir, targets, from);
    const release = requireRelease(source, version);
    const block = source.blocked.find((rule) => rule.version === version);
    if (block) {
      throw new PlinthError(
        'publish/release-refused',
        `Cannot promote ${version}: channel ${from} blocks it (${block.reason}), expected a version that stays`,
      );
    }
    const before = (await readChannel(options.repoDir, targets, to)) ?? promoted;
    promoted = editChannel(before, { do: 'offer', release });
    return { channels: [promoted] };
  });
  return promoted;
}

async function changeOne(
  options: ChannelOptions,
  edit: (channel: Channel, targets: TargetList) => Channel,
): Promise<Channel> {
  let changed = emptyChannel(options.channel);
  await changeRepository(options, async ({ targets }) => {
    changed = edit(await requireChannel(options.repoDir, targets, options.channel), targets);
    return { channels: [changed] };
  });
  return changed;
}
