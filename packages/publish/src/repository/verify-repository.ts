import { PlinthError } from '@plinth/base';
import type { UpdateKeyRing } from '@plinth/trust';
import type { Metadata, Root } from '@tufjs/models';
import { readRoot, rootFileName } from '../keys/trusted-root.ts';
import { parseRoot, readRepositoryRoot, type StoredRepository } from './load-repository.ts';

/**
 * verifyRepository checks that a repository is the one of a key folder before anything in it is signed again: its root is
 * byte for byte a root of the folder, and every document is signed by the keys of that root. Whether it is expired does
 * not matter to who renews it.
 * @returns the root of the repository
 * @throws publish/foreign-repository, publish/repository-invalid, host/io
 */
export async function verifyRepository(
  repoDir: string,
  stored: StoredRepository,
  keysDir: string,
  ring: UpdateKeyRing,
): Promise<Metadata<Root>> {
  const foreign = (state: string) =>
    new PlinthError(
      'publish/foreign-repository',
      `Cannot publish to ${repoDir}: ${state}, expected the repository of the keys in ${keysDir}`,
    );
  if (stored.rootVersion === 0) throw foreign('it has no root');
  if (stored.rootVersion > ring.rootVersion) {
    throw foreign(
      `its root is version ${stored.rootVersion}, newer than version ${ring.rootVersion} of the keys`,
    );
  }
  const theirs = await readRepositoryRoot(repoDir, stored.rootVersion);
  const ours = await readRoot(keysDir, stored.rootVersion);
  if (!Buffer.from(theirs.bytes).equals(ours)) throw foreign('its root is another one');
  // A rotation that was cut short may have left documents of the newest keys under the root before.
  const newest = parseRoot(rootFileName(ring.rootVersion), await readRoot(keysDir, ring.rootVersion));
  const roots = stored.rootVersion === ring.rootVersion ? [newest] : [theirs.metadata, newest];
  if (!roots.some((root) => isSigned(root, stored))) throw foreign('it is not signed by these keys');
  return theirs.metadata;
}

/** isSigned tells whether each document is signed as this root wants it. */
function isSigned(root: Metadata<Root>, stored: StoredRepository): boolean {
  return (
    isDelegate(root, 'timestamp', stored.timestamp.metadata) &&
    isDelegate(root, 'snapshot', stored.snapshot.metadata) &&
    isDelegate(root, 'targets', stored.targets.metadata) &&
    isDelegate(stored.targets.metadata, 'images', stored.images.metadata)
  );
}

type AnyMetadata = Parameters<Metadata<Root>['verifyDelegate']>[1];

/** isDelegate tells whether enough keys of a role signed its document. */
export function isDelegate(
  delegator: Pick<AnyMetadata, 'verifyDelegate'>,
  role: string,
  delegate: AnyMetadata,
): boolean {
  try {
    delegator.verifyDelegate(role, delegate);
    return true;
  } catch {
    // The library throws one class for each way in which a signature is missing or wrong: none of them is signed.
    return false;
  }
}
