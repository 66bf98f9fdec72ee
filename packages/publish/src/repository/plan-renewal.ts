import { isDeepStrictEqual } from 'node:util';
import { currentUpdateKeys, type UpdateKeyRing } from '@plinth/trust';
import type { Metadata, Root } from '@tufjs/models';
import { lifetimesMs, needsRenewal } from '../metadata/lifetimes.ts';
import type { METADATA_FILES, StoredRepository } from './load-repository.ts';
import { isDelegate } from './verify-repository.ts';

/** What a node may fetch from a repository: its size and SHA-256, by its name below `targets/`. */
export type TargetList = Readonly<Record<string, { readonly sizeBytes: number; readonly sha256: string }>>;

/** "must": its content or keys changed; "soon": it ends soon, and is left for later where its keys are not at hand. */
export type Need = 'must' | 'soon' | 'no';

/** Which documents have to be written anew. */
export interface RenewalPlan {
  readonly targets: Need;
  readonly images: Need;
  /** Written too when one of those above is. */
  readonly snapshot: Need;
  /** Written too when one of those above is. */
  readonly timestamp: Need;
  /** Roots of the key folder that the repository lacks, oldest first. */
  readonly roots: readonly number[];
}

/**
 * planRenewal says which documents a repository needs anew: those whose content or keys changed, and those that end soon.
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
): RenewalPlan {
  const roots = versionsAfter(stored?.rootVersion ?? 0, ring.rootVersion);
  if (!stored) return { targets: 'must', images: 'must', snapshot: 'must', timestamp: 'must', roots };
  const need = (role: keyof typeof METADATA_FILES, changed: boolean): Need => {
    if (changed) return 'must';
    return needsRenewal(stored[role].metadata.signed.expires, lifetimesMs[role], now) ? 'soon' : 'no';
  };
  const isForeign = (role: 'targets' | 'snapshot' | 'timestamp') =>
    !isDelegate(root, role, stored[role].metadata);
  const imagesChanged =
    !isSignedByCurrent(stored, ring) || !isDeepStrictEqual(readTargetList(stored), wanted);
  return {
    targets: need('targets', isForeign('targets') || !namesImagesKeys(stored, ring)),
    images: need('images', imagesChanged),
    snapshot: need('snapshot', isForeign('snapshot')),
    timestamp: need('timestamp', always || isForeign('timestamp')),
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
