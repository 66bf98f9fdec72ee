import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Channel, channelFile, channelTarget, parseChannel, REPOSITORY } from '@plinth/updates';
import { Updater } from 'tuf-js';

/** What a client of the standard library found at an address. */
export interface SeenRepository {
  readonly channel: Channel;
  /** Name, size and digest of a target; undefined when the repository does not vouch for it. */
  target(name: string): Promise<{ readonly sizeBytes: number; readonly sha256: string } | undefined>;
}

/**
 * followChannel does what a node does first: from a trusted root to the channel, by the client of tuf-js as it is. What it stores in
 * the folder is what it starts from the next time.
 * @param root trusted root for a folder that has none yet
 */
export async function followChannel(
  url: string,
  folder: string,
  root: Uint8Array,
  channelName = 'stable',
): Promise<SeenRepository> {
  const metadataDir = join(folder, 'metadata');
  await mkdir(metadataDir, { recursive: true });
  await writeFile(join(metadataDir, 'root.json'), root, { flag: 'wx' }).catch(() => undefined);
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: `${url}/${REPOSITORY.metadata}`,
    targetBaseUrl: `${url}/${REPOSITORY.targets}`,
    config: { fetchTimeout: 10_000, fetchRetry: 0 },
  });
  await updater.refresh();
  const info = await updater.getTargetInfo(channelTarget(channelName));
  if (!info) throw new Error(`no channel ${channelName}`);
  const path = join(folder, 'channel.json');
  await rm(path, { force: true });
  // The client asks for HASH.NAME by itself, as the specification has it for consistent snapshots.
  await updater.downloadTarget(info, path);
  const expected = channelFile(channelName, info.hashes['sha256'] ?? '');
  return {
    channel: parseChannel(await readFile(path, 'utf8'), expected),
    target: async (name) => {
      const found = await updater.getTargetInfo(name);
      return found && { sizeBytes: found.length, sha256: found.hashes['sha256'] ?? '' };
    },
  };
}
