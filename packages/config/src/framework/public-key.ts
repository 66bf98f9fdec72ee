import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** RSA keys of 4096 bits take 800 bytes. */
const PEM_LIMIT = 4 * 1024;
const KINDS = ['ec', 'ed25519', 'rsa'];

/** One public key in PEM, of a kind that people sign with. */
export const publicKeyPem = z
  .string()
  .max(PEM_LIMIT)
  .refine(
    isPublicKey,
    'expected one public key in PEM (BEGIN PUBLIC KEY): ECDSA, Ed25519, or RSA of 2048 bits and more',
  );

function isPublicKey(pem: string): boolean {
  // A private key would be taken too, and would lie on the node where it has no business.
  if (!/^\s*-----BEGIN PUBLIC KEY-----[\s\S]*-----END PUBLIC KEY-----\s*$/.test(pem)) return false;
  if ((pem.match(/-----BEGIN /g) ?? []).length !== 1) return false;
  try {
    const { asymmetricKeyType = '', asymmetricKeyDetails } = createPublicKey(pem);
    const bits = asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
    return KINDS.includes(asymmetricKeyType) && bits >= 2048;
  } catch {
    return false;
  }
}
