import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, removeTree, syncDirectory, withLock } from '@plinth/host';
import {
  currentEntry,
  type KeyEntry,
  type KeyRingFile,
  keyPaths,
  readKeyRingFile,
  writeKeyRingFile,
} from './key-ring-file.ts';
import type { KeyRole } from './key-roles.ts';
import { newKey } from './new-key.ts';
import { readPrivateKeyFile } from './private-key-file.ts';

export interface RotateKeyOptions {
  /** Must be that of the other keys. */
  readonly passphrase?: string;
  readonly now?: Date;
}

/**
 * rotateKey puts a new key into force for a role. The old pair moves to `retired/`, and its certificate stays in what
 * is exported to db until it is dropped, so that machines boot the old and the new release alike. A crash leaves
 * either the old or the new key in force.
 * @throws trust/key-missing, trust/key-unreadable, trust/wrong-passphrase, host/locked, host/io
 */
export async function rotateKey(
  dir: string,
  role: KeyRole,
  options: RotateKeyOptions = {},
): Promise<KeyRingFile> {
  return withLock(join(dir, '.lock'), `rotate the ${role} key`, async () => {
    const { passphrase, now = new Date() } = options;
    const ring = await readKeyRingFile(dir);
    const old = currentEntry(ring, role);
    const oldPaths = keyPaths(dir, old);
    // Also proves the passphrase: a ring whose keys have two passphrases could not be loaded.
    await readPrivateKeyFile(oldPaths.key, passphrase);
    const retired: KeyEntry = { ...old, retired: now.toISOString() };
    await keepRetired(dir, oldPaths, keyPaths(dir, retired));
    const fresh = await newKey(dir, role, { organisation: ring.organisation, passphrase, now });
    const keys = ring.keys.flatMap((entry) => (entry === old ? [fresh, retired] : [entry]));
    const rotated = { ...ring, keys };
    await writeKeyRingFile(dir, rotated);
    await Promise.all([removeTree(oldPaths.key), removeTree(oldPaths.certificate)]);
    return rotated;
  });
}

/**
 * dropRetiredKey ends the overlap: the retired pair is deleted and its certificate leaves db.
 * @param fingerprint of the retired key, or its start
 * @throws trust/key-missing, trust/key-unreadable, host/locked, host/io
 */
export async function dropRetiredKey(dir: string, fingerprint: string): Promise<KeyRingFile> {
  return withLock(join(dir, '.lock'), 'drop a retired key', async () => {
    const ring = await readKeyRingFile(dir);
    const matches = ring.keys.filter((entry) => entry.retired && entry.fingerprint.startsWith(fingerprint));
    const [entry] = matches;
    if (!entry || matches.length > 1) {
      const state = `${matches.length} retired keys start with "${fingerprint}", expected one`;
      throw new PlinthError('trust/key-missing', `Cannot drop retired key: ${state}`, {
        hint: 'Name the fingerprint as keyring.json shows it.',
      });
    }
    const rest = { ...ring, keys: ring.keys.filter((candidate) => candidate !== entry) };
    await writeKeyRingFile(dir, rest);
    const paths = keyPaths(dir, entry);
    await Promise.all([removeTree(paths.key), removeTree(paths.certificate)]);
    return rest;
  });
}

interface Paths {
  readonly key: string;
  readonly certificate: string;
}

async function keepRetired(dir: string, from: Paths, to: Paths): Promise<void> {
  const folder = join(dir, 'retired');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await copyFile(from.key, to.key);
    await copyFile(from.certificate, to.certificate);
    await syncDirectory(folder);
  } catch (reason) {
    throw ioError(reason, `keep the old key in ${folder}`);
  }
}
