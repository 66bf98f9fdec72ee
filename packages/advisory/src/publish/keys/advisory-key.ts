import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, withLock } from '@plinth/host';
import { makeOpenPgpKey, type OpenPgpSigner, openOpenPgpSigner } from '@plinth/trust';

const FOLDER = 'advisories';
const PRIVATE_FILE = 'advisories.key.asc';
const PUBLIC_FILE = 'advisories.pub.asc';

/**
 * initAdvisoryKey makes the OpenPGP key that CSAF documents are signed with; one that is there stays.
 * @returns whether it was made
 * @throws host/locked, host/io, host/disk-full
 */
export async function initAdvisoryKey(keysDir: string, passphrase: string | undefined): Promise<boolean> {
  const folder = join(keysDir, FOLDER);
  const files = { private: join(folder, PRIVATE_FILE), public: join(folder, PUBLIC_FILE) };
  if (await exists(files.private)) return false;
  return withLock(join(keysDir, '.lock'), 'make the key of advisories', async () => {
    await makeOpenPgpKey(files, 'Plinth security advisories', passphrase);
    return true;
  });
}

/**
 * openAdvisoryKey opens it.
 * @throws trust/key-missing, trust/key-unreadable, trust/wrong-passphrase, host/io
 */
export async function openAdvisoryKey(
  keysDir: string,
  passphrase: string | undefined,
): Promise<OpenPgpSigner> {
  const path = join(keysDir, FOLDER, PRIVATE_FILE);
  const signer = await openOpenPgpSigner(path, passphrase);
  if (signer) return signer;
  throw new PlinthError(
    'trust/key-missing',
    `Cannot sign advisories: ${path} is not there, expected an OpenPGP key`,
    {
      hint: `Run "plinth keys init --keys ${keysDir}": it makes what a key folder lacks and leaves the rest as it is.`,
    },
  );
}
