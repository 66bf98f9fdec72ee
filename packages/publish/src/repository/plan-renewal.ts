import { isDeepStrictEqual } from 'node:util';
import { currentUpdateKeys, type UpdateKeyRing } from '@plinth/trust';
import type { Metadata, Root } from '@tufjs/models';
import { lifetimesMs, needsRenewal } from '../metadata/lifetimes.ts';
import type { StoredRepository } from './load-repository.ts';
import { isDelegate } from './verify-repository.ts';

/** What a node may fetch from a repository: its size and SHA-256, by its name below `targets/`. */
export type TargetList = Readonly<Record<string, { readonly sizeBytes: number; readonly sha256: string }>>;

/** Which documents have to be written anew; timestamp is whenever anything is. */
export interface Renewal {
  readonly targets: boolean;
  readonly images: boolean;
  readonly snapshot: boolean;
  readonly timestamp: boolean;
  /** Roots of the key folder that the repository lacks, oldest first. */
  readonly roots: readonly number[];
}

/**
 * planRenewal says which documents a repository needs anew: those whose content or keys changed, that end soon, and those
 * that refer to one of them.
 * @param root the newest root of the key folder
 * @param wanted the targets of images after the change
 * @param always renew the timestamp even when nothing else changed
 */
export function planRenewal(
  stored: StoredRepository | undefined,
  ring: UpdateKeyRing,
  root: Metadata<Root>,
  wanted: TargetList,
  now: Date,
  always: boolean,
): Renewal {
  const roots = versionsAfter(stored?.rootVersion ?? 0, ring.rootVersion);
  if (!stored) return { targets: true, images: true, snapshot: true, timestamp: true, roots };
  const { timestamp, snapshot, targets } = stored;
  const ends = (role: 'targets' | 'images' | 'snapshot' | 'timestamp') =>
    needsRenewal(stored[role].metadata.signed.expires, lifetimesMs[role], now);
  const renewTargets =
    !isDelegate(root, 'targets', targets.metadata) || !namesImagesKeys(stored, ring) || ends('targets');
  const renewImages =
    !isSignedByCurrent(stored, ring) || !isDeepStrictEqual(readTargetList(stored), wanted) || ends('images');
  const renewSnapshot =
    renewTargets || renewImages || !isDelegate(root, 'snapshot', snapshot.metadata) || ends('snapshot');
  const renewTimestamp =
    always || renewSnapshot || !isDelegate(root, 'timestamp', timestamp.metadata) || ends('timestamp');
  return {
    targets: renewTargets,
    images: renewImages,
    snapshot: renewSnapshot,
    timestamp: renewTimestamp,
    roots,
  };
}

/** readTargetList gives what the images role of a repository vouches for. */
export function readTargetList(stored: StoredRepository): TargetList {
  return Object.fromEntries(
    Object.entries(stored.images.metadata.signed.targets).map(([name, { length, hashes }]) => [
      name,
      { sizeBytes: length, sha256: hashes['sha256'] ?? '' },
    ]),
  );
}

function namesImagesKeys(stored: StoredRepository, ring: UpdateKeyRing): boolean {
  const role = stored.targets.metadata.signed.delegations?.roles?.['images'];
  const keyIds = currentUpdateKeys(ring, 'images').map(({ keyId }) => keyId);
  return role?.threshold === ring.thresholds.images && isDeepStrictEqual(role.keyIDs, keyIds);
}

/** By keys in force, which the delegation in the repository may not name yet. */
function isSignedByCurrent(stored: StoredRepository, ring: UpdateKeyRing): boolean {
  const { metadata } = stored.images;
  const signing = currentUpdateKeys(ring, 'images').filter(({ keyId }) => metadata.signatures[keyId]);
  return signing.length >= ring.thresholds.images;
}

function versionsAfter(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + 1 + index);
}
