import { chmod, readFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import type { SignatureVerdict } from '../verdict.ts';

// OpenPGP is for readers that are not Plinth: systemd-sysupdate of other systems, and tools for CSAF.

/** Files of an OpenPGP key, both armoured. */
export interface OpenPgpKeyFiles {
  readonly private: string;
  readonly public: string;
}

/** The public half of a key. */
export interface OpenPgpPublicKey {
  readonly armoured: string;
  /** The key as a keyring, binary. */
  readonly bytes: Uint8Array;
  /** Upper-case hex. */
  readonly fingerprint: string;
}

/** A key that can sign: detached, over the bytes as they are. */
export interface OpenPgpSigner extends OpenPgpPublicKey {
  sign(data: Uint8Array): Promise<Uint8Array>;
  signArmoured(data: Uint8Array): Promise<string>;
}

// Loaded when it is needed: most commands that look at keys sign nothing with it.
const library = () => import('openpgp');

/** makeOpenPgpKey makes a key pair and writes both halves. @throws host/io, host/disk-full */
export async function makeOpenPgpKey(
  files: OpenPgpKeyFiles,
  name: string,
  passphrase: string | undefined,
): Promise<void> {
  const { generateKey } = await library();
  const { privateKey, publicKey } = await generateKey({
    // gpg 2.4 checks EdDSA under its first number only, not under that of RFC 9580.
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name }],
    format: 'armored',
    config: { v6Keys: false },
    ...(passphrase !== undefined && { passphrase }),
  });
  await writeFileAtomic(files.private, privateKey, 0o600);
  await chmod(files.private, 0o600);
  await writeFileAtomic(files.public, publicKey, 0o644);
}

/**
 * openOpenPgpSigner opens a private key; undefined when its file is not there.
 * @throws trust/key-unreadable, trust/wrong-passphrase, host/io
 */
export async function openOpenPgpSigner(
  path: string,
  passphrase: string | undefined,
): Promise<OpenPgpSigner | undefined> {
  const armored = await readText(path);
  if (armored === undefined) return undefined;
  const { createMessage, decryptKey, readPrivateKey, sign } = await library();
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
  const message = (data: Uint8Array) => createMessage({ binary: data, format: 'binary' });
  return {
    ...publicHalf(key.toPublic()),
    sign: async (data) =>
      sign({ message: await message(data), signingKeys, detached: true, format: 'binary' }),
    signArmoured: async (data) =>
      sign({ message: await message(data), signingKeys, detached: true, format: 'armored' }),
  };
}

/** readOpenPgpKey reads the public half of a key. @throws trust/key-unreadable */
export async function readOpenPgpKey(armoured: string, name: string): Promise<OpenPgpPublicKey> {
  const { readKey } = await library();
  try {
    return publicHalf(await readKey({ armoredKey: armoured }));
  } catch (reason) {
    throw new PlinthError('trust/key-unreadable', `Cannot read key ${name}: damaged, expected OpenPGP`, {
      cause: reason,
    });
  }
}

/** readOpenPgpKeyFile reads the public half of a key from its file; undefined when that is not there. @throws trust/key-unreadable, host/io */
export async function readOpenPgpKeyFile(path: string): Promise<OpenPgpPublicKey | undefined> {
  const armoured = await readText(path);
  return armoured === undefined ? undefined : readOpenPgpKey(armoured, path);
}

/**
 * verifyOpenPgp checks an armoured detached signature over bytes.
 * @param trusted armoured public keys
 */
export async function verifyOpenPgp(
  data: Uint8Array,
  signature: string,
  trusted: readonly string[],
): Promise<SignatureVerdict> {
  const { createMessage, readKeys, readSignature, verify } = await library();
  try {
    const keys = (await Promise.all(trusted.map((armoredKeys) => readKeys({ armoredKeys })))).flat();
    const { signatures } = await verify({
      message: await createMessage({ binary: data, format: 'binary' }),
      signature: await readSignature({ armoredSignature: signature }),
      verificationKeys: keys,
      format: 'binary',
    });
    const [first] = signatures;
    if (!first) return { verdict: 'fail', reason: 'it holds no signature' };
    await first.verified;
    const key = keys.find((one) => one.getKeys(first.keyID).length > 0);
    const user = key?.getUserIDs()[0] ?? 'OpenPGP';
    return { verdict: 'pass', keyId: key?.getFingerprint().toUpperCase() ?? '', subject: user };
  } catch {
    return { verdict: 'fail', reason: 'it is no signature of these bytes by a key that is trusted' };
  }
}

interface KeyLike {
  armor(): string;
  write(): Uint8Array;
  getFingerprint(): string;
}

function publicHalf(key: KeyLike): OpenPgpPublicKey {
  return { armoured: key.armor(), bytes: key.write(), fingerprint: key.getFingerprint().toUpperCase() };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read key ${path}`);
  }
}
