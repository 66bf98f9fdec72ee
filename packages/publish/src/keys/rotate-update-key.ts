import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, withLock, writeFileAtomic } from '@plinth/host';
import {
  currentUpdateKeys,
  newUpdateKey,
  openUpdateSigners,
  type UpdateKey,
  type UpdateKeyRing,
  type UpdateRole,
  type UpdateSigner,
  updateKeyFolder,
  updateKeyPath,
  writeUpdateKeyRing,
} from '@plinth/trust';
import { makeRoot } from '../metadata/root-metadata.ts';
import { inForce, requireEnough, signMetadata } from '../metadata/sign-metadata.ts';
import { requireUpdateKeys, rootFileName } from './trusted-root.ts';

export interface RotateUpdateKeyOptions {
  /** Must be that of the other keys. */
  readonly passphrase?: string;
  /** Key id of the key to replace, or its start. Default: one whose private half is gone, else the oldest. */
  readonly replace?: string;
  /** More folders with private keys, such as media of their keepers. */
  readonly moreFolders?: readonly string[];
  readonly now?: Date;
}

/** What a rotation did. */
export interface RotatedUpdateKey {
  readonly ring: UpdateKeyRing;
  readonly fresh: UpdateKey;
  readonly retired: UpdateKey;
}

/**
 * rotateUpdateKey puts a new key of a role into force by a new root, which enough of the root keys of before and of now sign. It needs
 * no private half of the key that goes: a lost key is replaced in the same way. A repository learns of it with the next thing
 * that is signed there. A crash leaves either the old or the new key in force.
 * @throws publish/keys-missing, publish/request-invalid, trust/key-unreadable, trust/wrong-passphrase, host/locked, host/io
 */
export async function rotateUpdateKey(
  keysDir: string,
  role: UpdateRole,
  options: RotateUpdateKeyOptions = {},
): Promise<RotatedUpdateKey> {
  const { passphrase, now = new Date(), moreFolders = [] } = options;
  const folder = updateKeyFolder(keysDir);
  const folders = [folder, ...moreFolders];
  return withLock(join(keysDir, '.lock'), `rotate the ${role} key`, async () => {
    const ring = await requireUpdateKeys(keysDir);
    // Before a key is made: root decides, and its keys prove the passphrase.
    const before = await openUpdateSigners(folders, ring, 'root', passphrase);
    requireEnough('root', inForce(before), ring.thresholds.root);
    const old = await chooseKey(folders, ring, role, options.replace);
    const retired: UpdateKey = { ...old, retired: now.toISOString() };
    const fresh = await newUpdateKey(folder, role, { passphrase, now });
    const rotated: UpdateKeyRing = {
      ...ring,
      rootVersion: ring.rootVersion + 1,
      keys: ring.keys.flatMap((key) => (key === old ? [fresh, retired] : [key])),
    };
    const signers = await rootSigners(folders, rotated, before, passphrase);
    const root = signMetadata('root', makeRoot(rotated, now), signers, ring.thresholds.root);
    await writeFileAtomic(join(folder, rootFileName(rotated.rootVersion)), root);
    await writeUpdateKeyRing(folder, rotated);
    return { ring: rotated, fresh, retired };
  });
}

/** Keys in force after the rotation, and those that were before it: a node believes a root that both sides signed. */
async function rootSigners(
  folders: readonly string[],
  rotated: UpdateKeyRing,
  before: readonly UpdateSigner[],
  passphrase: string | undefined,
): Promise<readonly UpdateSigner[]> {
  const after = await openUpdateSigners(folders, rotated, 'root', passphrase);
  const formerIds = new Set(before.filter(({ key }) => !key.retired).map(({ key }) => key.keyId));
  return after.filter(({ key }) => key.retired === undefined || formerIds.has(key.keyId));
}

async function chooseKey(
  folders: readonly string[],
  ring: UpdateKeyRing,
  role: UpdateRole,
  replace: string | undefined,
): Promise<UpdateKey> {
  const keys = currentUpdateKeys(ring, role);
  const lost: UpdateKey[] = [];
  for (const key of keys) {
    const found = await Promise.all(folders.map((folder) => exists(updateKeyPath(folder, key))));
    if (!found.includes(true)) lost.push(key);
  }
  const [choice] =
    replace === undefined ? [...lost, ...keys] : keys.filter((key) => key.keyId.startsWith(replace));
  if (choice) return choice;
  throw new PlinthError(
    'publish/request-invalid',
    `Cannot rotate ${role} key "${replace}": none in force starts so, expected one of ${keys.map(({ keyId }) => keyId.slice(0, 12)).join(', ')}`,
  );
}
