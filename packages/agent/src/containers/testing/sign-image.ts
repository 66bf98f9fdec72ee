import { generateKeyPairSync, sign } from 'node:crypto';
import type { ServedSignature } from './tiny-registry.ts';

/** Somebody who signs images as cosign does. */
export interface ImageSigner {
  /** PEM. */
  readonly publicKey: string;
  /** Signs that there is an image of this digest. */
  sign(digest: string): ServedSignature;
}

/** makeImageSigner makes a key of the kind that cosign makes: ECDSA on P-256. */
export function makeImageSigner(): ImageSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign(digest) {
      const payload = imageStatement(digest);
      return { payload, signature: sign('sha256', payload, privateKey) };
    },
  };
}

/** imageStatement is what cosign signs. */
export function imageStatement(digest: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'registry.example/tools' },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
}
