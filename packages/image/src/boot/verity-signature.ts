import { createHash } from 'node:crypto';

/**
 * veritySignatureJson is the content of the verity-sig partition (UAPI.2, "Verity signature partitions"):
 * the root hash, its CMS signature, and the SHA-256 fingerprint of the signer's certificate.
 */
export function veritySignatureJson(
  rootHash: string,
  signatureDer: Uint8Array,
  certificateDer: Uint8Array,
): string {
  return JSON.stringify({
    rootHash,
    certificateFingerprint: createHash('sha256').update(certificateDer).digest('hex'),
    signature: Buffer.from(signatureDer).toString('base64'),
  });
}

/** padSignature fills the JSON with zeros to whole blocks, in which a partition is written (UAPI.2). */
export function padSignature(json: string): Uint8Array {
  const text = Buffer.from(json);
  return Buffer.concat([text, Buffer.alloc(Math.ceil(text.length / 4096) * 4096 - text.length)]);
}
