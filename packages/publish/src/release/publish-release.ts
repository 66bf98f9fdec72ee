import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { type ChannelRelease, REPOSITORY, releaseNames } from '@plinth/updates';
import { emptyChannel, readChannel } from '../channel/channel-store.ts';
import { editChannel } from '../channel/edit-channel.ts';
import {
  changeRepository,
  type RepositoryOptions,
  type RepositoryOutcome,
  requireUnchanged,
} from '../repository/change-repository.ts';
import { placeFile } from '../repository/place-file.ts';
import type { TargetList } from '../repository/plan-renewal.ts';
import { type ReleaseFiles, readReleaseFiles } from './read-release-files.ts';

export interface PublishOptions extends RepositoryOptions {
  /** Folder of the release, verified by the caller. */
  readonly releaseDir: string;
  readonly channel: string;
  /** What the channel says of it beside version and manifest. */
  readonly about?: Omit<ChannelRelease, 'version' | 'manifest'>;
}

export interface PublishedRelease extends RepositoryOutcome {
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly isNew: boolean }[];
}

/**
 * publishRelease puts a release into a repository and offers it in a channel. Doing it twice is no change. It judges no signature
 * of the release itself: the caller does, before it asks for another one here.
 * @throws publish/…, release/…, update/channel-invalid, trust/…, host/…
 */
export async function publishRelease(options: PublishOptions): Promise<PublishedRelease> {
  const { repoDir, channel } = options;
  const release = await readReleaseFiles(options.releaseDir);
  requirePublishable(release);
  const { manifest } = release;
  const list: TargetList = Object.fromEntries(
    release.files.map(({ name, sizeBytes, sha256 }) => [name, { sizeBytes, sha256 }]),
  );
  const placed = new Set<string>();
  const outcome = await changeRepository(options, async ({ targets }) => {
    const before = (await readChannel(repoDir, targets, channel)) ?? emptyChannel(channel);
    // Before a byte is written: a file that is there under this name is never replaced.
    requireUnchanged(targets, list);
    for (const file of release.files) {
      const to = join(repoDir, REPOSITORY.targets, file.name);
      if (await placeFile(file.path, to, file.sha256)) placed.add(file.name);
    }
    const entry = {
      version: manifest.version,
      manifest: releaseNames(manifest.name, manifest.version).manifest,
      ...options.about,
    };
    return { files: list, channels: [editChannel(before, { do: 'offer', release: entry })] };
  });
  return {
    ...outcome,
    version: manifest.version,
    files: release.files.map(({ name, sizeBytes }) => ({ name, sizeBytes, isNew: placed.has(name) })),
  };
}

function requirePublishable({ manifest }: ReleaseFiles): void {
  if (manifest.name === 'plinth') return;
  throw new PlinthError(
    'publish/release-refused',
    `Cannot publish ${manifest.name} ${manifest.version}: channels are of plinth, expected a release of it`,
  );
}
