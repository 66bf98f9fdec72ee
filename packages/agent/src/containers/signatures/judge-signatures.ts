import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';

/** One signature of an image, as the registry has it. */
export interface ImageSignature {
  /** What was signed, byte for byte. */
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** The only kind of statement there is (containers/image, docs/containers-signature.5.md; cosign's specification). */
const STATEMENT = z.object({
  critical: z.object({
    type: z.literal('cosign container image signature'),
    image: z.object({ 'docker-manifest-digest': z.string() }),
  }),
});

/**
 * judgeSignatures tells whether an image is signed by one of the given keys. Pure.
 * @param digest of the image, "sha256:…"
 * @param signers public keys, PEM
 * @returns undefined when it is signed, else why it does not count as signed
 */
export function judgeSignatures(
  signatures: readonly ImageSignature[],
  digest: string,
  signers: readonly string[],
): string | undefined {
  if (signatures.length === 0) return 'its registry has no signature of it';
  const keys = signers.map((pem) => createPublicKey(pem));
  const sound = signatures.filter((one) => keys.some((key) => isSignedBy(one, key)));
  if (sound.length === 0)
    return signatures.length === 1
      ? 'its signature is by none of the keys that the machine config names'
      : `its ${signatures.length} signatures are by none of the keys that the machine config names`;
  // Only now is read what the payload says: it is from somebody who is trusted.
  return sound.some(({ payload }) => statedDigest(payload) === digest)
    ? undefined
    : 'its signature is of another image';
}

function isSignedBy({ payload, signature }: ImageSignature, key: KeyObject): boolean {
  // Ed25519 hashes by itself.
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    return verify(hash, payload, key, signature);
  } catch {
    return false;
  }
}

function statedDigest(payload: Buffer): string | undefined {
  try {
    return STATEMENT.parse(JSON.parse(payload.toString('utf8'))).critical.image['docker-manifest-digest'];
  } catch {
    return undefined;
  }
}
