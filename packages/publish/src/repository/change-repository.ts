import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, withLock } from '@plinth/host';
import type { Channel, ChannelDeadlines } from '@plinth/updates';
import { type WrittenChannel, writeChannel, writeDeadlines } from '../channel/channel-store.ts';
import { openSumsSigner } from '../sysupdate/openpgp-key.ts';
import { writeViews } from '../sysupdate/write-views.ts';
import { loadRepository } from './load-repository.ts';
import type { TargetList } from './plan-renewal.ts';
import { removeSuperseded } from './remove-superseded.ts';
import {
  type OwnRepository,
  openOwnRepository,
  type Renewal,
  renewRepository,
  type SigningOptions,
} from './renew-repository.ts';
import { noteWithdrawn } from './withdrawn.ts';

export interface RepositoryOptions extends SigningOptions {
  readonly repoDir: string;
  readonly signal?: AbortSignal;
  /** Called once when another process publishes to the same repository. */
  readonly onWait?: (holderPid: number) => void;
}

/** What a change of a repository adds: files that are in place by then, and channels. */
export interface RepositoryChange {
  readonly files?: TargetList;
  readonly channels?: readonly Channel[];
  readonly deadlines?: readonly ChannelDeadlines[];
  /** Names that leave the list of targets. */
  readonly withdrawn?: readonly string[];
}

/** What came of a change. */
export interface RepositoryOutcome {
  readonly renewal: Renewal;
  readonly targets: TargetList;
  /** False: the folders for systemd-sysupdate stay as they were, since the key for them is not here. */
  readonly hasView: boolean;
}

/**
 * changeRepository makes one change of a repository at a time: reads it, checks that it is of these keys, lets `work` put files
 * in place and say what changes, and signs. A reader sees it before or after the change.
 * @param always renew the timestamp even when nothing changes
 * @throws publish/…, trust/key-unreadable, trust/wrong-passphrase, host/io, host/disk-full, cli/interrupted
 */
export async function changeRepository(
  options: RepositoryOptions,
  work: (repository: OwnRepository) => Promise<RepositoryChange>,
  always = false,
): Promise<RepositoryOutcome> {
  const { repoDir, keysDir, signal, onWait } = options;
  await mkdir(repoDir, { recursive: true }).catch((reason) =>
    Promise.reject(ioError(reason, `make ${repoDir}`)),
  );
  const waiting = { signal, ...(onWait && { onWait }) };
  return withLock(
    join(repoDir, '.lock'),
    `publish to ${repoDir}`,
    async () => {
      await removeLeftovers(repoDir);
      const repository = await openOwnRepository(repoDir, keysDir);
      const change = await work(repository);
      requireUnchanged(repository.targets, change.files ?? {});
      await noteWithdrawn(repoDir, change.withdrawn ?? []);
      const channels: WrittenChannel[] = [];
      for (const channel of change.channels ?? []) channels.push(await writeChannel(repoDir, channel));
      for (const each of change.deadlines ?? []) channels.push(await writeDeadlines(repoDir, each));
      const withdrawn = new Set(change.withdrawn);
      const targets = {
        ...Object.fromEntries(Object.entries(repository.targets).filter(([name]) => !withdrawn.has(name))),
        ...change.files,
        ...Object.fromEntries(
          channels.map(({ target, sizeBytes, sha256 }) => [target, { sizeBytes, sha256 }]),
        ),
      };
      const show = async () => {
        for (const channel of channels) await channel.show();
      };
      const renewal = await renewRepository(repository, targets, options, { always, show });
      const hasView = await settle(options, targets);
      return { renewal, targets, hasView };
    },
    waiting,
  );
}

/** Half-written files of a publisher that was killed: whoever holds the lock is the only one who writes. */
async function removeLeftovers(repoDir: string): Promise<void> {
  try {
    const names = await readdir(repoDir, { recursive: true });
    for (const name of names)
      if (/\.[0-9a-f]{12}\.tmp$/.test(name)) await rm(join(repoDir, name), { force: true });
  } catch (reason) {
    throw ioError(reason, `clear ${repoDir}`);
  }
}

/** What follows from what was signed: the folders for systemd-sysupdate, where the key for them is, and an end to what is over. */
async function settle(options: RepositoryOptions, targets: TargetList): Promise<boolean> {
  const { repoDir, keysDir, passphrase, now = new Date() } = options;
  const stored = await loadRepository(repoDir);
  if (!stored) return false;
  await removeSuperseded(repoDir, stored, targets, now);
  const sign = await openSumsSigner(keysDir, passphrase);
  if (!sign) return false;
  await writeViews(repoDir, targets, stored.timestamp.metadata.signed.expires, sign);
  return true;
}

/** requireUnchanged refuses other bytes under a name that is published. @throws publish/release-differs */
export function requireUnchanged(published: TargetList, files: TargetList): void {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const before = published[name];
    if (before && before.sha256 !== sha256) {
      throw new PlinthError(
        'publish/release-differs',
        `Cannot publish ${name}: another file of this name is published, expected the same bytes`,
      );
    }
  }
}
