import { createHash, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { PlinthError } from '@plinth/base';
import { writeFileAtomic } from '@plinth/host';
import { encodePrivateKey, readPrivateKeyFile } from '../keys/private-key-file.ts';
import { currentUpdateKeys, type UpdateKey, type UpdateKeyRing, updateKeyPath } from './update-key-ring.ts';
import type { UpdateRole } from './update-roles.ts';

/** A private update key that is at hand. */
export interface UpdateSigner {
  readonly key: UpdateKey;
  /** Ed25519 over the data itself (RFC 8032). */
  sign(data: Uint8Array): Uint8Array;
}

const generate = promisify(generateKeyPair);

/** newUpdateKey makes an Ed25519 key, writes its private half into the folder and gives its entry. @throws host/io */
export async function newUpdateKey(
  folder: string,
  role: UpdateRole,
  options: { readonly passphrase?: string | undefined; readonly now: Date },
): Promise<UpdateKey> {
  const { publicKey, privateKey } = await generate('ed25519', {});
  const hex = publicHex(publicKey);
  const key: UpdateKey = { role, keyId: keyIdOf(hex), publicKey: hex, created: options.now.toISOString() };
  await writeFileAtomic(updateKeyPath(folder, key), encodePrivateKey(privateKey, options.passphrase), 0o600);
  return key;
}

/**
 * openUpdateSigners opens the private keys of a role that are in one of the folders, those in force first. Keys that are kept elsewhere
 * are left out: whoever signs counts whether there are enough in force.
 * @throws trust/key-unreadable, trust/wrong-passphrase
 */
export async function openUpdateSigners(
  folders: readonly string[],
  ring: UpdateKeyRing,
  role: UpdateRole,
  passphrase: string | undefined,
): Promise<readonly UpdateSigner[]> {
  const signers: UpdateSigner[] = [];
  const retired = ring.keys.filter((key) => key.role === role && key.retired !== undefined);
  for (const key of [...currentUpdateKeys(ring, role), ...retired]) {
    for (const path of folders.map((folder) => updateKeyPath(folder, key))) {
      const privateKey = await readPrivateKeyFile(path, passphrase).catch((reason: unknown) => {
        if (reason instanceof PlinthError && reason.code === 'trust/key-missing') return undefined;
        throw reason;
      });
      if (!privateKey) continue;
      signers.push(signerOf(key, privateKey, path));
      break;
    }
  }
  return signers;
}

function signerOf(key: UpdateKey, privateKey: KeyObject, path: string): UpdateSigner {
  const isEd25519 = privateKey.asymmetricKeyType === 'ed25519';
  if (!isEd25519 || publicHex(createPublicKey(privateKey)) !== key.publicKey) {
    throw new PlinthError(
      'trust/key-unreadable',
      `Cannot sign with ${path}: it is another key than the list of update keys says`,
      { hint: 'Restore the folder of your keys from your copy.' },
    );
  }
  return { key, sign: (data) => new Uint8Array(sign(null, data, privateKey)) };
}

function publicHex(publicKey: KeyObject): string {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}

/** The key as canonical JSON: members sorted, nothing between them. */
function keyIdOf(publicHexText: string): string {
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${publicHexText}"},"scheme":"ed25519"}`;
  return createHash('sha256').update(canonical).digest('hex');
}
