import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, ioError, isErrno, withLock, writeFileAtomic } from '@plinth/host';
import { updateKeyFolder } from '@plinth/trust';
import { createMessage, decryptKey, generateKey, readKey, readPrivateKey, sign } from 'openpgp';

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
  const path = join(folder, PRIVATE_FILE);
  if (await exists(join(folder, PUBLIC_FILE))) return false;
  return withLock(join(keysDir, '.lock'), 'make the key of systemd-sysupdate', async () => {
    const { privateKey, publicKey } = await generateKey({
      // gpg 2.4 checks EdDSA under its first number only, not under that of RFC 9580.
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'Plinth releases' }],
      format: 'armored',
      config: { v6Keys: false },
      ...(passphrase !== undefined && { passphrase }),
    });
    await writeFileAtomic(path, privateKey, 0o600);
    await chmod(path, 0o600);
    await writeFileAtomic(join(folder, PUBLIC_FILE), publicKey, 0o644);
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
  const path = join(updateKeyFolder(keysDir), PRIVATE_FILE);
  const armored = await readText(path);
  if (armored === undefined) return undefined;
  const key = await readPrivateKey({ armoredKey: armored }).catch(() => {
    // What a library says about a secret does not belong into a log.
    throw new PlinthError('trust/key-unreadable', `Cannot read key ${path}: damaged, expected OpenPGP`);
  });
  const signingKeys = key.isDecrypted()
    ? key
    : await decryptKey({ privateKey: key, passphrase: passphrase ?? '' }).catch(() => {
        throw new PlinthError(
          'trust/wrong-passphrase',
          `Cannot read key ${path}: the passphrase does not open it`,
        );
      });
  return async (sums) => {
    const message = await createMessage({ text: sums, format: 'binary' });
    return sign({ message, signingKeys, detached: true, format: 'binary' });
  };
}

/**
 * exportSumsKey writes the public half as a keyring for other systems and gives its path.
 * @throws publish/keys-missing, host/io, host/disk-full
 */
export async function exportSumsKey(keysDir: string, outDir: string): Promise<string> {
  const source = join(updateKeyFolder(keysDir), PUBLIC_FILE);
  const armored = await readText(source);
  if (armored === undefined) {
    throw new PlinthError(
      'publish/keys-missing',
      `Cannot export the key of systemd-sysupdate: ${source} is not there, expected an OpenPGP key`,
      { hint: 'Run "plinth keys init": it makes what a key folder lacks and leaves the rest as it is.' },
    );
  }
  const path = join(outDir, EXPORTED_FILE);
  await writeFileAtomic(path, (await readKey({ armoredKey: armored })).write());
  return path;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read key ${path}`);
  }
}
