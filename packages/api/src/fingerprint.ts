import { createHash, type KeyObject } from 'node:crypto';

/** fingerprintOf names a certificate: "sha256:" and the lower-case hexadecimal SHA-256 of its DER bytes. */
export function fingerprintOf(certificateDer: Uint8Array): string {
  return `sha256:${createHash('sha256').update(certificateDer).digest('hex')}`;
}

/** isFingerprint tells whether a text has the shape that fingerprintOf gives. */
export function isFingerprint(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/**
 * nodeIdOf names a node by its public key: the first 32 hexadecimal digits of the key's SHA-256. A second key with the
 * same name costs 2^128 tries, so a client may pin it.
 */
export function nodeIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
}

/** isNodeId tells whether a text has the shape that nodeIdOf gives. */
export function isNodeId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
