import { ByteView } from '../byte-view.ts';
import { alignUp } from '../bytes.ts';
import { CERTIFICATE_ALIGNMENT } from './authenticode-digest.ts';
import { readPe } from './read-pe.ts';

const WIN_CERT_REVISION_2_0 = 0x0200;
const WIN_CERT_TYPE_PKCS_SIGNED_DATA = 0x0002;
const ENTRY_HEADER_BYTES = 8;
const CERTIFICATE_LIMIT = 16;

/**
 * readCertificates gives the PKCS #7 signatures of an EFI program, in file order; empty when it is not signed.
 * Zero padding behind a signature may be part of it.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function readCertificates(bytes: Uint8Array): Uint8Array[] {
  const { view, certificates } = readPe(bytes);
  return certificates.sizeBytes === 0
    ? []
    : readCertificateTable(view.slice(certificates.offset, certificates.sizeBytes));
}

/**
 * readCertificateTable gives the PKCS #7 signatures in the certificate table of an EFI program, in file order.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function readCertificateTable(table: Uint8Array): Uint8Array[] {
  const view = new ByteView(table, { what: 'the certificate table of an EFI program' });
  const found: Uint8Array[] = [];
  for (let at = 0; at < view.sizeBytes; ) {
    const [lengthBytes, type] = [view.u32(at), view.u16(at + 6)];
    if (lengthBytes < ENTRY_HEADER_BYTES || at + lengthBytes > view.sizeBytes) {
      throw view.fault(
        'formats/pe-invalid',
        `a certificate entry of ${lengthBytes} bytes, expected it in its table`,
      );
    }
    if (found.length >= CERTIFICATE_LIMIT) {
      throw view.fault('formats/limit', `more than ${CERTIFICATE_LIMIT} certificate entries, expected fewer`);
    }
    if (type === WIN_CERT_TYPE_PKCS_SIGNED_DATA) {
      found.push(view.slice(at + ENTRY_HEADER_BYTES, lengthBytes - ENTRY_HEADER_BYTES));
    }
    at += alignUp(lengthBytes, CERTIFICATE_ALIGNMENT);
  }
  return found;
}

/**
 * attachCertificate gives a new file with one more signature behind those it has (UEFI 2.10, 32.2.4; WIN_CERTIFICATE).
 * The checksum is computed anew.
 * @param pkcs7 a DER-encoded PKCS #7 SignedData over authenticodeDigest(bytes)
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function attachCertificate(bytes: Uint8Array, pkcs7: Uint8Array): Uint8Array {
  const { certificates, certificateEntryOffset } = readPe(bytes);
  const start = alignUp(bytes.length, CERTIFICATE_ALIGNMENT);
  const entryBytes = ENTRY_HEADER_BYTES + pkcs7.length;
  const signed = new Uint8Array(start + alignUp(entryBytes, CERTIFICATE_ALIGNMENT));
  signed.set(bytes);
  signed.set(pkcs7, start + ENTRY_HEADER_BYTES);
  const view = new DataView(signed.buffer);
  view.setUint32(start, entryBytes, true);
  view.setUint16(start + 4, WIN_CERT_REVISION_2_0, true);
  view.setUint16(start + 6, WIN_CERT_TYPE_PKCS_SIGNED_DATA, true);
  const tableOffset = certificates.sizeBytes > 0 ? certificates.offset : start;
  view.setUint32(certificateEntryOffset, tableOffset, true);
  view.setUint32(certificateEntryOffset + 4, signed.length - tableOffset, true);
  return withChecksum(signed);
}

/**
 * removeCertificates gives the file without signatures and with a fresh checksum, so that two builds compare equal
 * whoever signed them. A file that was padded for its signature keeps the padding.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function removeCertificates(bytes: Uint8Array): Uint8Array {
  const { certificates, certificateEntryOffset } = readPe(bytes);
  // Not slice(): the caller's Buffer must stay as it is.
  const bare = new Uint8Array(
    bytes.subarray(0, certificates.sizeBytes > 0 ? certificates.offset : bytes.length),
  );
  bare.fill(0, certificateEntryOffset, certificateEntryOffset + 8);
  return withChecksum(bare);
}

/** The PE checksum: ones' complement sum of 16-bit words, its own field taken as zero, plus the file's size. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const { checksumOffset } = readPe(bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(checksumOffset, 0, true);
  let sum = 0;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) sum += view.getUint16(at, true);
  if (even < bytes.length) sum += view.getUint8(even);
  // Carries may be folded once at the end: 2^31 words cannot pass 2^53.
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  view.setUint32(checksumOffset, sum + bytes.length, true);
  return bytes;
}
