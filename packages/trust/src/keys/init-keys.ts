import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, ioError, mapParallel, removeTree, syncDirectory } from '@plinth/host';
import { type KeyRingFile, writeKeyRingFile } from './key-ring-file.ts';
import { keyRoleNames } from './key-roles.ts';
import { newKey } from './new-key.ts';

export interface InitKeysOptions {
  /** Encrypts every private key; absent: they are protected by the file system only. */
  readonly passphrase?: string;
  /** Part of every certificate's name; default "Plinth development". */
  readonly organisation?: string;
  readonly now?: Date;
}

const ORGANISATION_PATTERN = /^[\p{L}\p{N}][\p{L}\p{N} .,&'()-]{0,39}$/u;

/**
 * initKeys makes all keys of a new key folder: whole or not at all, never over existing ones.
 * @throws trust/keys-exist, trust/request-invalid, host/io, host/disk-full
 */
export async function initKeys(dir: string, options: InitKeysOptions = {}): Promise<KeyRingFile> {
  const { passphrase, organisation = 'Plinth development', now = new Date() } = options;
  if (!ORGANISATION_PATTERN.test(organisation)) {
    const state = `organisation "${organisation}", expected 1 to 40 letters, digits, spaces or . , & ' ( ) -`;
    throw new PlinthError('trust/request-invalid', `Cannot make keys: ${state}`);
  }
  if (passphrase === '')
    throw new PlinthError('trust/request-invalid', 'Cannot make keys: an empty passphrase, expected text');
  if (await exists(dir))
    throw new PlinthError('trust/keys-exist', `Cannot make keys in ${dir}: it exists, expected a new folder`);

  const work = `${dir}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await mkdir(work, { recursive: true, mode: 0o700 });
    const keys = await mapParallel(keyRoleNames, 2, (role) =>
      newKey(work, role, { organisation, passphrase, now }),
    );
    const ring: KeyRingFile = {
      format: 1,
      created: now.toISOString(),
      organisation,
      ownerGuid: randomUUID(),
      keys,
    };
    await writeKeyRingFile(work, ring);
    await rename(work, dir);
    await syncDirectory(dirname(dir));
    return ring;
  } catch (reason) {
    await removeTree(work);
    throw ioError(reason, `make keys in ${dir}`);
  }
}
