import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { hashText, ioError, isErrno, removeTree, writeFileAtomic } from '@plinth/host';
import {
  type Channel,
  type Manifest,
  parseManifest,
  REPOSITORY,
  REPOSITORY_LIMITS,
  SUMS_FILE,
} from '@plinth/updates';
import { channelNames, readChannel } from '../channel/channel-store.ts';
import { placeFile } from '../repository/place-file.ts';
import type { TargetList } from '../repository/plan-renewal.ts';
import { readLimited } from '../repository/read-limited.ts';
import type { SumsSigner } from './openpgp-key.ts';
import { planView, type SysupdateView } from './plan-view.ts';

const INVALID = 'publish/repository-invalid';
const SIGNATURE_FILE = `${SUMS_FILE}.gpg`;

/**
 * writeViews brings the folders for stock systemd-sysupdate in line with the channels. Files come before the list that names them and
 * go after it; list and signature are two files, so a client that reads between the two is refused and tries again.
 * @param expires when the timestamp ends
 * @throws publish/repository-invalid, update/channel-invalid, release/manifest-invalid, host/io, host/disk-full
 */
export async function writeViews(
  repoDir: string,
  targets: TargetList,
  expires: string,
  sign: SumsSigner,
): Promise<void> {
  for (const name of channelNames(targets)) {
    const channel = await readChannel(repoDir, targets, name);
    if (!channel) continue;
    const manifests = await readManifests(repoDir, channel, targets);
    await writeView(repoDir, name, planView(channel, manifests, targets, expires), targets, sign);
  }
}

async function writeView(
  repoDir: string,
  channel: string,
  view: SysupdateView,
  targets: TargetList,
  sign: SumsSigner,
): Promise<void> {
  const folder = join(repoDir, REPOSITORY.sysupdate, channel);
  const sumsPath = join(folder, SUMS_FILE);
  if ((await readIfThere(sumsPath)) === view.sums && (await readIfThere(join(folder, SIGNATURE_FILE))))
    return;
  for (const name of view.files) {
    await placeFile(join(repoDir, REPOSITORY.targets, name), join(folder, name), targets[name]?.sha256 ?? '');
  }
  await writeFileAtomic(join(folder, view.bestBefore), '');
  const signature = await sign(view.sums);
  await writeFileAtomic(sumsPath, view.sums);
  await writeFileAtomic(join(folder, SIGNATURE_FILE), signature);
  const kept = new Set([...view.files, view.bestBefore, SUMS_FILE, SIGNATURE_FILE]);
  for (const name of await readdir(folder)) if (!kept.has(name)) await removeTree(join(folder, name));
}

async function readManifests(
  repoDir: string,
  channel: Channel,
  targets: TargetList,
): Promise<ReadonlyMap<string, Manifest>> {
  const manifests = new Map<string, Manifest>();
  for (const { version, manifest: name } of channel.releases) {
    const path = join(repoDir, REPOSITORY.targets, name);
    const text = (await readLimited(path, REPOSITORY_LIMITS.manifestBytes, INVALID))?.toString('utf8');
    if (text === undefined || hashText(text) !== targets[name]?.sha256) {
      throw new PlinthError(
        INVALID,
        `Cannot use ${path}: ${text === undefined ? 'it is not there' : 'it was changed'}, expected the file that was signed`,
      );
    }
    manifests.set(version, parseManifest(text, name));
  }
  return manifests;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read ${path}`);
  }
}
