import { createHash } from 'node:crypto';

/** fingerprintOf names a certificate: "sha256:" and the lower-case hexadecimal SHA-256 of its DER bytes. */
export function fingerprintOf(certificateDer: Uint8Array): string {
  return `sha256:${createHash('sha256').update(certificateDer).digest('hex')}`;
}

/** isFingerprint tells whether a text has the shape that fingerprintOf gives. */
export function isFingerprint(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
