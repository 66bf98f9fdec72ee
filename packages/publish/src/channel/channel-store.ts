import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { hashText, writeFileAtomic } from '@plinth/host';
import {
  ARCHITECTURE,
  type Channel,
  type ChannelDeadlines,
  channelFile,
  channelTarget,
  deadlinesFile,
  deadlinesTarget,
  formatChannel,
  formatDeadlines,
  parseChannel,
  parseDeadlines,
  REPOSITORY,
  REPOSITORY_LIMITS,
} from '@plinth/updates';
import type { TargetList } from '../repository/plan-renewal.ts';
import { readLimited } from '../repository/read-limited.ts';

const INVALID = 'publish/repository-invalid';

/** emptyChannel offers nothing and forbids nothing. */
export function emptyChannel(channel: string): Channel {
  return {
    format: 1,
    name: 'plinth',
    channel,
    architecture: ARCHITECTURE,
    releases: [],
    barriers: [],
    deadEnds: [],
    blocked: [],
  };
}

/** channelNames lists the channels that a repository vouches for. */
export function channelNames(targets: TargetList): string[] {
  return Object.keys(targets)
    .map((target) => /^channels\/(.+)\.json$/.exec(target)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/**
 * readChannel reads a channel as the metadata name it; undefined when the repository has none of that name.
 * @throws publish/repository-invalid when the file is another one than was signed, update/channel-invalid, host/io
 */
export async function readChannel(
  repoDir: string,
  targets: TargetList,
  channel: string,
): Promise<Channel | undefined> {
  const target = targets[channelTarget(channel)];
  if (!target) return undefined;
  const path = join(repoDir, REPOSITORY.targets, channelFile(channel, target.sha256));
  return parseChannel(await readSigned(path, target.sha256, channel), path);
}

/** The text of a file of a channel, as it was signed. */
async function readSigned(path: string, sha256: string, channel: string): Promise<string> {
  const text = (await readLimited(path, REPOSITORY_LIMITS.channelBytes, INVALID))?.toString('utf8');
  if (text !== undefined && hashText(text) === sha256) return text;
  throw new PlinthError(
    INVALID,
    `Cannot use channel ${channel}: ${path} is not the file that was signed, expected it unchanged`,
    { hint: 'Restore the repository from a copy; what it should say cannot be told from a changed file.' },
  );
}

/**
 * readDeadlines reads by when a channel wants its versions on nodes; none where nobody ever said so.
 * @throws publish/repository-invalid, update/channel-invalid, host/io
 */
export async function readDeadlines(
  repoDir: string,
  targets: TargetList,
  channel: string,
): Promise<ChannelDeadlines> {
  const target = targets[deadlinesTarget(channel)];
  if (!target) return { format: 1, name: 'plinth', channel, deadlines: [] };
  const path = join(repoDir, REPOSITORY.targets, deadlinesFile(channel, target.sha256));
  return parseDeadlines(await readSigned(path, target.sha256, channel), channel);
}

/**
 * requireChannel reads a channel that a repository has to have.
 * @throws publish/not-published when it has none of that name, what readChannel throws
 */
export async function requireChannel(repoDir: string, targets: TargetList, name: string): Promise<Channel> {
  const channel = await readChannel(repoDir, targets, name);
  if (channel) return channel;
  const others = channelNames(targets).join(', ') || 'none';
  throw new PlinthError(
    'publish/not-published',
    `Cannot find channel ${name} in ${repoDir}: nothing was published to it, the repository has ${others}`,
  );
}

/** A channel, or its deadlines, as it is written: its file below `targets/`, and how the metadata name it. */
export interface WrittenChannel {
  readonly target: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Puts it under its plain name too, which is for readers of the newest metadata only. */
  show(): Promise<void>;
}

/**
 * writeChannel writes a channel under the name of its digest, beside the one before.
 * @throws update/channel-invalid when the node would not read it; host/io, host/disk-full
 */
export async function writeChannel(repoDir: string, channel: Channel): Promise<WrittenChannel> {
  const target = channelTarget(channel.channel);
  // As a node reads it, so that what nodes refuse is never signed.
  parseChannel(JSON.stringify(channel, undefined, 2), target);
  return writeSigned(repoDir, target, formatChannel(channel), (digest) =>
    channelFile(channel.channel, digest),
  );
}

/** writeDeadlines writes those of a channel, as writeChannel does. @throws update/channel-invalid, host/io, host/disk-full */
export async function writeDeadlines(repoDir: string, deadlines: ChannelDeadlines): Promise<WrittenChannel> {
  const { channel } = deadlines;
  return writeSigned(repoDir, deadlinesTarget(channel), formatDeadlines(deadlines), (digest) =>
    deadlinesFile(channel, digest),
  );
}

async function writeSigned(
  repoDir: string,
  target: string,
  text: string,
  file: (digest: string) => string,
): Promise<WrittenChannel> {
  const digest = hashText(text);
  const folder = join(repoDir, REPOSITORY.targets);
  await writeFileAtomic(join(folder, file(digest)), text);
  return {
    target,
    sizeBytes: Buffer.byteLength(text),
    sha256: digest,
    show: () => writeFileAtomic(join(folder, target), text),
  };
}
