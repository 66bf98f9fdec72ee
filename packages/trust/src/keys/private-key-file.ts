import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scryptSync } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { integer, objectIdentifier, octetString, sequence } from '../cms/der.ts';
import { toPem } from '../pem.ts';

/**
 * scrypt cost: 16 MiB five times. More memory at once would pass the bound at which OpenSSL refuses to read the file.
 */
const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;
const FILE_LIMIT_BYTES = 64 * 1024;

/** encodePrivateKey gives PKCS #8 PEM; with a passphrase encrypted by AES-256 under scrypt (RFC 8018, RFC 7914). */
export function encodePrivateKey(key: KeyObject, passphrase: string | undefined): string {
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  if (passphrase === undefined) return toPem('PRIVATE KEY', plain);
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', scryptSync(passphrase, salt, 32, SCRYPT), iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  const derivation = sequence(
    objectIdentifier(oids.scrypt),
    sequence(octetString(salt), integer(SCRYPT.N), integer(SCRYPT.r), integer(SCRYPT.p)),
  );
  const encryption = sequence(objectIdentifier(oids.aes256Cbc), octetString(iv));
  const scheme = sequence(objectIdentifier(oids.pbes2), sequence(derivation, encryption));
  return toPem('ENCRYPTED PRIVATE KEY', sequence(scheme, octetString(encrypted)));
}

/**
 * readPrivateKeyFile reads a PEM file that only its owner may read, or a group that root lends it to.
 * @throws trust/key-missing, trust/key-unreadable, trust/wrong-passphrase
 */
export async function readPrivateKeyFile(path: string, passphrase: string | undefined): Promise<KeyObject> {
  const pem = await readPrivateFile(path);
  const encrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');
  if (encrypted && passphrase === undefined) {
    throw new PlinthError(
      'trust/wrong-passphrase',
      `Cannot read key ${path}: it is encrypted, expected a passphrase`,
    );
  }
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // The cause is left out: what a cryptographic library says about a secret does not belong into a log.
    throw encrypted
      ? new PlinthError('trust/wrong-passphrase', `Cannot read key ${path}: the passphrase does not open it`)
      : new PlinthError('trust/key-unreadable', `Cannot read key ${path}: damaged, expected PKCS #8 in PEM`);
  }
}

/**
 * Whether more may read it than must. Root's own file may be lent to a group for reading, as PostgreSQL allows its keys: that is how
 * Kubernetes mounts a Secret for a process that is not root, and only root can have made it so.
 */
function isExposed(mode: number, uid: number): boolean {
  const isLent = uid === 0 && process.getuid?.() !== 0;
  return (mode & (isLent ? 0o037 : 0o077)) !== 0;
}

async function readPrivateFile(path: string): Promise<string> {
  try {
    const { mode, size, uid } = await stat(path);
    if (isExposed(mode, uid)) {
      const octal = (mode & 0o777).toString(8).padStart(3, '0');
      throw new PlinthError(
        'trust/key-unreadable',
        `Cannot use key ${path}: its mode is ${octal}, expected 600`,
        {
          hint: `Run "chmod 600 ${path}"; if others could have read it, rotate the key.`,
        },
      );
    }
    if (size > FILE_LIMIT_BYTES) {
      throw new PlinthError('trust/key-unreadable', `Cannot read key ${path}: ${size} bytes, expected a key`);
    }
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) {
      throw new PlinthError('trust/key-missing', `Cannot read key ${path}: no such file`, { cause: reason });
    }
    if (isErrno(reason, 'EACCES')) {
      throw new PlinthError('trust/key-unreadable', `Cannot read key ${path}: permission denied`, {
        cause: reason,
      });
    }
    throw ioError(reason, `read key ${path}`);
  }
}
