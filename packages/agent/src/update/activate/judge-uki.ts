import { hash, X509Certificate } from 'node:crypto';
import { EFI_LIST_TYPES, type EfiListEntry } from '@plinth/formats';

/** What the firmware decides by. */
export interface UkiFacts {
  /** Authenticode digest of the UKI's bytes, SHA-256. */
  readonly digest: Buffer;
  /** The signatures in its certificate table, as they are. */
  readonly signatures: readonly Buffer[];
  /** Entries of db and dbx. */
  readonly allowed: readonly EfiListEntry[];
  readonly forbidden: readonly EfiListEntry[];
}

/**
 * judgeUki tells why firmware under Secure Boot would not start a UKI; undefined when it would, as far as that can be seen without
 * checking the signature itself; pure. What dbx names is refused, whoever else vouches for it (UEFI 2.10, 32.5.3.3).
 * Throws what reading a certificate throws.
 */
export function judgeUki({ digest, signatures, allowed, forbidden }: UkiFacts): string | undefined {
  const has = (list: readonly EfiListEntry[]) =>
    list.some(({ type, data }) => type === EFI_LIST_TYPES.imageHash && digest.equals(data));
  if (has(forbidden)) return 'the firmware forbids its very bytes (dbx)';
  if (signatures.some((signature) => isForbidden(signature, forbidden)))
    return 'the firmware forbids a certificate of its signature (dbx)';
  if (has(allowed)) return undefined;
  if (signatures.length === 0) return 'it is not signed';
  const own = signatures.filter((signature) => signature.includes(digest));
  if (own.length === 0) return 'no signature is over its bytes';
  const keys = certificatesOf(allowed);
  return own.some((signature) => isByKey(signature, keys))
    ? undefined
    : 'the firmware has no key that its signature is by';
}

function certificatesOf(list: readonly EfiListEntry[]): readonly Uint8Array[] {
  return list.filter(({ type }) => type === EFI_LIST_TYPES.certificate).map(({ data }) => data);
}

function isForbidden(signature: Buffer, forbidden: readonly EfiListEntry[]): boolean {
  if (isByKey(signature, certificatesOf(forbidden))) return true;
  return Object.entries(EFI_LIST_TYPES.certificateHash).some(([algorithm, type]) => {
    const hashes = forbidden.filter((entry) => entry.type === type).map(({ data }) => Buffer.from(data));
    if (hashes.length === 0) return false;
    // The time of the revocation that follows the hash is not looked at: a signature that had one would be older than it.
    return certificatesIn(signature).some(({ raw }) => {
      const digest = hash(algorithm, signedPart(raw), 'buffer');
      return hashes.some((entry) => entry.subarray(0, digest.length).equals(digest));
    });
  });
}

/** The part of a certificate that its issuer signed: what its hash in dbx is of. */
function signedPart(certificate: Buffer): Buffer {
  return certificate.subarray(4, 4 + 4 + certificate.readUInt16BE(4 + 2));
}

/** Whether a certificate of the firmware is in the signature, or has issued one that is. */
function isByKey(signature: Buffer, keys: readonly Uint8Array[]): boolean {
  if (keys.some((key) => signature.includes(key))) return true;
  const authorities = keys.map((key) => new X509Certificate(key));
  return certificatesIn(signature).some((certificate) =>
    authorities.some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    ),
  );
}

/** Certificates stand in a signature as they are: each is a SEQUENCE whose length takes two bytes. */
function certificatesIn(signature: Buffer): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let at = signature.indexOf(SEQUENCE); at !== -1; at = signature.indexOf(SEQUENCE, at + 1)) {
    if (at + 4 > signature.length) break;
    const end = at + 4 + signature.readUInt16BE(at + 2);
    if (end > signature.length) continue;
    try {
      found.push(new X509Certificate(signature.subarray(at, end)));
    } catch {
      // Another structure of that form.
    }
  }
  return found;
}

const SEQUENCE = Buffer.from([0x30, 0x82]);
