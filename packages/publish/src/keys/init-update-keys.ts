import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, removeTree, syncDirectory, withLock, writeFileAtomic } from '@plinth/host';
import {
  newUpdateKey,
  openUpdateSigners,
  readUpdateKeyRing,
  type UpdateKeyRing,
  type UpdateRole,
  type UpdateRoleSize,
  updateKeyFolder,
  updateRoleNames,
  updateRoles,
  writeUpdateKeyRing,
} from '@plinth/trust';
import { makeRoot } from '../metadata/root-metadata.ts';
import { signMetadata } from '../metadata/sign-metadata.ts';
import { initSumsKey } from '../sysupdate/openpgp-key.ts';
import { rootFileName } from './trusted-root.ts';

export interface InitUpdateKeysOptions {
  /** Must be that of the other keys of the folder. */
  readonly passphrase?: string;
  /** How many keys a role has and how many must sign; default `updateRoles`. */
  readonly sizes?: Partial<Readonly<Record<UpdateRole, UpdateRoleSize>>>;
  readonly now?: Date;
}

/** More keys than people of an organisation would hold make every metadata file longer for nothing. */
const MAX_KEYS = 16;

/**
 * initUpdateKeys makes the keys of release repositories in a key folder, with the first root that names them, whole or not at
 * all. Keys that are there are never touched: a folder that has them is left as it is.
 * @param keysDir an existing key folder
 * @throws publish/request-invalid, trust/key-unreadable, host/locked, host/io, host/disk-full
 */
export async function initUpdateKeys(
  keysDir: string,
  options: InitUpdateKeysOptions = {},
): Promise<{ readonly ring: UpdateKeyRing; readonly made: boolean }> {
  const folder = updateKeyFolder(keysDir);
  const sizes = { ...updateRoles, ...options.sizes };
  for (const role of updateRoleNames) requireSize(role, sizes[role]);
  const existing = await readUpdateKeyRing(folder);
  if (existing) return { ring: existing, made: false };
  const result = await withLock(join(keysDir, '.lock'), 'make the update keys', async () => {
    const meanwhile = await readUpdateKeyRing(folder);
    if (meanwhile) return { ring: meanwhile, made: false };
    const work = `${folder}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      await mkdir(work, { mode: 0o700 });
      const ring = await makeAll(work, sizes, options);
      await rename(work, folder);
      await syncDirectory(keysDir);
      return { ring, made: true };
    } catch (reason) {
      await removeTree(work);
      throw ioError(reason, `make update keys in ${folder}`);
    }
  });
  await initSumsKey(keysDir, options.passphrase);
  return result;
}

async function makeAll(
  work: string,
  sizes: Readonly<Record<UpdateRole, UpdateRoleSize>>,
  { passphrase, now = new Date() }: InitUpdateKeysOptions,
): Promise<UpdateKeyRing> {
  const roles = updateRoleNames.flatMap((role) => Array.from({ length: sizes[role].keys }, () => role));
  const keys = [];
  for (const role of roles) keys.push(await newUpdateKey(work, role, { passphrase, now }));
  const ring: UpdateKeyRing = {
    format: 1,
    created: now.toISOString(),
    rootVersion: 1,
    thresholds: thresholdsOf(sizes),
    keys,
  };
  const signers = await openUpdateSigners([work], ring, 'root', passphrase);
  const root = signMetadata('root', makeRoot(ring, now), signers, ring.thresholds.root);
  await writeFileAtomic(join(work, rootFileName(1)), root);
  await writeUpdateKeyRing(work, ring);
  return ring;
}

function thresholdsOf(sizes: Readonly<Record<UpdateRole, UpdateRoleSize>>): UpdateKeyRing['thresholds'] {
  return {
    root: sizes.root.threshold,
    targets: sizes.targets.threshold,
    images: sizes.images.threshold,
    snapshot: sizes.snapshot.threshold,
    timestamp: sizes.timestamp.threshold,
  };
}

function requireSize(role: UpdateRole, { keys, threshold }: UpdateRoleSize): void {
  const isFit = Number.isInteger(keys) && Number.isInteger(threshold) && keys <= MAX_KEYS;
  if (isFit && threshold >= 1 && threshold <= keys) return;
  throw new PlinthError(
    'publish/request-invalid',
    `Cannot make ${role} keys: ${threshold} of ${keys} must sign, expected 1 to ${MAX_KEYS} keys and no more signatures than keys`,
  );
}
