import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, withLock, writeFileAtomic } from '@plinth/host';
import { makeOpenPgpKey, openOpenPgpSigner, readOpenPgpKeyFile, updateKeyFolder } from '@plinth/trust';

/** Signs SHA256SUMS for stock clients: OpenPGP, binary and detached. */
export type SumsSigner = (sums: string) => Promise<Uint8Array>;

const PRIVATE_FILE = 'sysupdate.key.asc';
const PUBLIC_FILE = 'sysupdate.pub.asc';
/** Name of the public half where systemd looks for it: /etc/systemd/import-pubring.gpg. */
const EXPORTED_FILE = 'import-pubring.gpg';

/**
 * initSumsKey makes the OpenPGP key that systemd-sysupdate of other systems checks lists by; one that is there stays. Nodes of
 * Plinth do not know it.
 * @throws host/locked, host/io, host/disk-full
 */
export async function initSumsKey(keysDir: string, passphrase: string | undefined): Promise<boolean> {
  const folder = updateKeyFolder(keysDir);
  const files = { private: join(folder, PRIVATE_FILE), public: join(folder, PUBLIC_FILE) };
  if (await exists(files.public)) return false;
  return withLock(join(keysDir, '.lock'), 'make the key of systemd-sysupdate', async () => {
    await makeOpenPgpKey(files, 'Plinth releases', passphrase);
    return true;
  });
}

/**
 * openSumsSigner opens that key; undefined when its private half is not in the folder.
 * @throws trust/key-unreadable, trust/wrong-passphrase, host/io
 */
export async function openSumsSigner(
  keysDir: string,
  passphrase: string | undefined,
): Promise<SumsSigner | undefined> {
  const signer = await openOpenPgpSigner(join(updateKeyFolder(keysDir), PRIVATE_FILE), passphrase);
  return signer && ((sums) => signer.sign(new TextEncoder().encode(sums)));
}

/**
 * exportSumsKey writes the public half as a keyring for other systems and gives its path.
 * @throws publish/keys-missing, trust/key-unreadable, host/io, host/disk-full
 */
export async function exportSumsKey(keysDir: string, outDir: string): Promise<string> {
  const source = join(updateKeyFolder(keysDir), PUBLIC_FILE);
  const key = await readOpenPgpKeyFile(source);
  if (!key) {
    throw new PlinthError(
      'publish/keys-missing',
      `Cannot export the key of systemd-sysupdate: ${source} is not there, expected an OpenPGP key`,
      { hint: 'Run "plinth keys init": it makes what a key folder lacks and leaves the rest as it is.' },
    );
  }
  const path = join(outDir, EXPORTED_FILE);
  await writeFileAtomic(path, key.bytes);
  return path;
}
