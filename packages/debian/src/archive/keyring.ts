import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { type PublicKey, readCleartextMessage, readKey, verify } from 'openpgp';

/** The keys Debian signs its indexes with, as committed in os/trust. */
export type Keyring = readonly PublicKey[];

const TRUST_DIR = fileURLToPath(new URL('../../../../os/trust/', import.meta.url));

/**
 * readKeyring reads every armoured key (`debian-archive-*.asc`) of a folder, by default os/trust.
 * @throws debian/index-untrusted when there is none or one cannot be read
 */
export async function readKeyring(dir: string = TRUST_DIR): Promise<Keyring> {
  const names = await readdir(dir).catch((reason) => {
    throw ioError(reason, `read the archive keys in ${dir}`);
  });
  const keys: PublicKey[] = [];
  for (const name of names.filter((entry) => /^debian-archive-.*\.asc$/.test(entry)).sort()) {
    keys.push(await readArchiveKey(join(dir, name)));
  }
  if (keys.length === 0) {
    throw new PlinthError('debian/index-untrusted', `Cannot trust any index: ${dir} has no archive key`);
  }
  return keys;
}

/**
 * readScanKeyring gives the keys for reading what a suite says about systems of other releases: those of the image and
 * the one in os/trust/scan-only that is named after the suite. What is locked into an image is never read by it.
 * @throws debian/index-untrusted
 */
export async function readScanKeyring(suite: string): Promise<Keyring> {
  const dir = join(TRUST_DIR, 'scan-only');
  const names = await readdir(dir).catch((reason) => {
    throw ioError(reason, `read the archive keys in ${dir}`);
  });
  // Compared, never built into a path: the name of a suite may come from the system that is scanned.
  const own = names.filter((name) => name === `debian-archive-${suite}-automatic.asc`);
  return [
    ...(await readKeyring()),
    ...(await Promise.all(own.map((name) => readArchiveKey(join(dir, name))))),
  ];
}

async function readArchiveKey(path: string): Promise<PublicKey> {
  try {
    return await readKey({ armoredKey: await readFile(path, 'utf8') });
  } catch (reason) {
    throw PlinthError.from(reason, 'debian/index-untrusted', `Cannot read the archive key ${path}`);
  }
}

/**
 * verifyInRelease returns the text that a key of the ring really signed (RFC 9580, cleartext signatures); nothing
 * outside the signed part survives. One good signature is enough: Debian signs with several keys.
 * @throws debian/index-untrusted
 */
export async function verifyInRelease(
  text: string,
  keyring: Keyring,
  suite: string,
  now: Date,
): Promise<string> {
  const refuse = (state: string, cause?: unknown) =>
    new PlinthError(
      'debian/index-untrusted',
      `Cannot trust the index of ${suite}: ${state}, expected a signature of a key in os/trust`,
      { cause },
    );
  try {
    const message = await readCleartextMessage({ cleartextMessage: text });
    const { data, signatures } = await verify({ message, verificationKeys: [...keyring], date: now });
    const outcomes = await Promise.allSettled(signatures.map((signature) => signature.verified));
    if (outcomes.some((outcome) => outcome.status === 'fulfilled')) return data;
    const first = outcomes.find((outcome) => outcome.status === 'rejected');
    throw refuse(first ? String(first.reason.message) : 'it is not signed', first?.reason);
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    throw refuse('it is no signed index', reason);
  }
}
