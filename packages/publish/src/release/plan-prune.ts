import { compareUapiVersions } from '@plinth/base';
import { ARCHITECTURE, type Channel } from '@plinth/updates';
import type { TargetList } from '../repository/plan-renewal.ts';

/** What a repository no longer offers. */
export interface PrunePlan {
  /** Channels that change. */
  readonly channels: readonly Channel[];
  /** Versions that no channel offers any more, oldest first. */
  readonly versions: readonly string[];
  /** Their files, which leave the signed list. */
  readonly names: readonly string[];
}

/**
 * planPrune drops old releases from channels; pure. Each keeps its newest ones that nodes may take, and its barriers, which nodes have to
 * pass through. What was said about a version stays: nodes may still run it.
 * @param keep of each channel, at least 1
 */
export function planPrune(channels: readonly Channel[], targets: TargetList, keep: number): PrunePlan {
  const after = channels.map((channel) => pruned(channel, keep));
  const offered = new Set(after.flatMap(({ releases }) => releases.map(({ version }) => version)));
  const versions = [...new Set(channels.flatMap(({ releases }) => releases.map(({ version }) => version)))]
    .filter((version) => !offered.has(version))
    .sort(compareUapiVersions);
  const prefixes = versions.map((version) => `plinth_${version}_${ARCHITECTURE}.`);
  return {
    channels: after.filter(
      ({ releases }, index) => releases.length < (channels[index]?.releases.length ?? 0),
    ),
    versions,
    names: Object.keys(targets).filter((name) => prefixes.some((prefix) => name.startsWith(prefix))),
  };
}

function pruned(channel: Channel, keep: number): Channel {
  const { releases, barriers, blocked, deadEnds } = channel;
  const names = (rules: Channel['barriers'], version: string) =>
    rules.some((rule) => rule.version === version);
  const usable = releases
    .filter(({ version }) => !names(blocked, version) && !names(deadEnds, version))
    .sort((left, right) => compareUapiVersions(right.version, left.version));
  const oldest = usable[Math.min(keep, usable.length) - 1]?.version;
  // Where there is nothing to take, nothing goes: what is new about it is that it is blocked.
  if (oldest === undefined) return channel;
  return {
    ...channel,
    releases: releases.filter(
      ({ version }) => compareUapiVersions(version, oldest) >= 0 || names(barriers, version),
    ),
  };
}
