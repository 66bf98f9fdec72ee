import { constants, createCipheriv, createHmac, publicEncrypt } from 'node:crypto';
import { concatBytes, encodeText } from '@plinth/formats';
import type { PublicArea } from './public-area.ts';
import { sized, u32 } from './tpm-writer.ts';

/** What only the TPM that has both keys can open. */
export interface Credential {
  /** TPM2B_ID_OBJECT: the secret under a key that is bound to the name of the attestation key. */
  readonly blob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET: the seed of that key, for the endorsement key. */
  readonly encryptedSeed: Uint8Array;
}

const SEED_BYTES = 32;

/**
 * makeCredential encrypts a secret so that only a TPM that holds the endorsement key and an object of that name gives it
 * back (TPM 2.0 part 1, "Credential protection"; TPM2_MakeCredential without a TPM).
 * @param ek an RSA endorsement key with SHA-256 and AES-128, as template L-1 makes it
 * @param seed 32 random bytes
 */
export function makeCredential(
  ek: PublicArea,
  objectName: Uint8Array,
  secret: Uint8Array,
  seed: Uint8Array,
): Credential {
  const encrypted = publicEncrypt(
    {
      key: ek.key,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha256',
      oaepLabel: Buffer.from('IDENTITY\0'),
    },
    seed.subarray(0, SEED_BYTES),
  );
  const key = deriveKey(seed, 'STORAGE', objectName, 128);
  const cipher = createCipheriv('aes-128-cfb', key, new Uint8Array(16));
  const identity = concatBytes([cipher.update(sized(secret)), cipher.final()]);
  const macKey = deriveKey(seed, 'INTEGRITY', new Uint8Array(), 256);
  const mac = createHmac('sha256', macKey).update(identity).update(objectName).digest();
  return { blob: sized(sized(mac), identity), encryptedSeed: sized(encrypted) };
}

/** KDFa (part 1, 11.4.10.2) with SHA-256, for at most 256 bits: one round. */
function deriveKey(key: Uint8Array, label: string, context: Uint8Array, bits: number): Uint8Array {
  const input = concatBytes([u32(1), encodeText(`${label}\0`), context, u32(bits)]);
  return new Uint8Array(createHmac('sha256', key).update(input).digest()).subarray(0, bits / 8);
}
