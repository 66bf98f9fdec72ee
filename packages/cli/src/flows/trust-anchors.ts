import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, ioError } from '@plinth/host';
import type { TrustAnchors } from '@plinth/image';
import { loadPublicKeys, readCertificate } from '@plinth/trust';
import type { CommandContext } from '../framework/context.ts';
import { keyFolder } from './key-folder.ts';

/**
 * openAnchors reads the certificates to trust; undefined when nobody named any and this user has no keys, so that
 * every signature stays unknown.
 * @throws trust/…, host/io
 */
export async function openAnchors(
  trust: string | undefined,
  env: CommandContext['env'],
): Promise<TrustAnchors | undefined> {
  const folder = trust === undefined ? keyFolder({ keys: undefined }, env) : resolve(trust);
  if (await exists(join(folder, 'keyring.json'))) return loadPublicKeys(folder);
  if (trust === undefined) return undefined;
  return readExported(folder);
}

/** Certificates as exportKeys names them: "boot.crt", "boot-retired-0123456789ab.crt". */
async function readExported(folder: string): Promise<TrustAnchors> {
  const names = await readdir(folder).catch((reason) => Promise.reject(ioError(reason, `list ${folder}`)));
  const files = names.filter((name) => /\.(crt|pem|der)$/.test(name)).sort();
  const certificates = await Promise.all(
    files.map(async (name) => ({
      role: name.replace(/(-retired-[0-9a-f]+)?\.(crt|pem|der)$/, ''),
      certificate: readCertificate(await readFile(join(folder, name))),
    })),
  );
  if (certificates.length === 0) {
    throw new PlinthError(
      'trust/key-missing',
      `Cannot find certificates in ${folder}: none there, expected boot.crt`,
    );
  }
  return {
    certificates: (role) =>
      certificates.filter((each) => each.role === role).map(({ certificate }) => certificate),
  };
}
