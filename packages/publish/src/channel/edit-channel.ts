import { compareUapiVersions, PlinthError } from '@plinth/base';
import type { Channel, ChannelRelease, ChannelRule } from '@plinth/updates';

/** A change of a channel, as data. */
export type ChannelEdit =
  | { readonly do: 'offer'; readonly release: ChannelRelease }
  | { readonly do: RuleList; readonly version: string; readonly reason: string }
  | { readonly do: 'floor'; readonly version: string; readonly reason: string };

/** What is said about single versions, one list each. */
export type RuleList = 'block' | 'barrier' | 'dead-end';

const LISTS = { block: 'blocked', barrier: 'barriers', 'dead-end': 'deadEnds' } as const;

/**
 * editChannel gives a channel with a change made; the same change twice is one.
 * @throws publish/request-invalid when the security floor would go down
 */
export function editChannel(channel: Channel, edit: ChannelEdit): Channel {
  switch (edit.do) {
    case 'offer':
      return { ...channel, releases: withRelease(channel.releases, edit.release) };
    case 'floor':
      return { ...channel, securityFloor: raisedFloor(channel, edit) };
    default: {
      const list = LISTS[edit.do];
      const { version, reason } = edit;
      return { ...channel, [list]: withRule(channel[list], { version, reason }) };
    }
  }
}

/** dropRule takes back what was said about a version. @throws publish/not-published when nothing was */
export function dropRule(channel: Channel, rule: RuleList, version: string): Channel {
  const list = LISTS[rule];
  const rest = channel[list].filter((entry) => entry.version !== version);
  if (rest.length < channel[list].length) return { ...channel, [list]: rest };
  throw new PlinthError(
    'publish/not-published',
    `Cannot take back ${rule} of ${version}: channel ${channel.channel} has none, expected one`,
  );
}

/** requireRelease finds a version in a channel. @throws publish/not-published */
export function requireRelease(channel: Channel, version: string): ChannelRelease {
  const release = channel.releases.find((entry) => entry.version === version);
  if (release) return release;
  const offered = channel.releases.map((entry) => entry.version).join(', ') || 'nothing';
  throw new PlinthError(
    'publish/not-published',
    `Cannot find ${version} in channel ${channel.channel}: it offers ${offered}`,
  );
}

function withRelease(releases: Channel['releases'], release: ChannelRelease): Channel['releases'] {
  const found = releases.some(({ version }) => version === release.version);
  if (!found) return [...releases, release];
  // What was said about it before stays unless it is said anew.
  return releases.map((entry) => (entry.version === release.version ? { ...entry, ...release } : entry));
}

function withRule(rules: readonly ChannelRule[], rule: ChannelRule): ChannelRule[] {
  const found = rules.some(({ version }) => version === rule.version);
  return found ? rules.map((entry) => (entry.version === rule.version ? rule : entry)) : [...rules, rule];
}

function raisedFloor(channel: Channel, { version, reason }: ChannelRule): ChannelRule {
  const floor = channel.securityFloor;
  if (floor && compareUapiVersions(version, floor.version) < 0) {
    throw new PlinthError(
      'publish/request-invalid',
      `Cannot set the security floor of ${channel.channel} to ${version}: it is ${floor.version}, expected the same or a newer version`,
    );
  }
  return { version, reason };
}
