import { createHash } from 'node:crypto';
import { alignUp } from '../bytes.ts';
import { readPe } from './read-pe.ts';

/** The certificate table starts on a multiple of this; what is padded is signed. */
export const CERTIFICATE_ALIGNMENT = 8;

/**
 * authenticodeDigest hashes what a signature of an EFI program covers: everything but the checksum, the entry of the
 * certificate table and that table (Microsoft "Windows Authenticode Portable Executable Signature Format", section
 * "Calculating the PE Image Hash"). For an unsigned file it is the digest the file will have once it is signed,
 * zero padding to 8 bytes included. Firmware extends PCR 4 with the same value.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function authenticodeDigest(
  bytes: Uint8Array,
  algorithm: 'sha256' | 'sha384' | 'sha512' = 'sha256',
): Uint8Array {
  const { view, sections, headersSizeBytes, checksumOffset, certificateEntryOffset, certificates } =
    readPe(bytes);
  const hash = createHash(algorithm);
  hash.update(bytes.subarray(0, checksumOffset));
  hash.update(bytes.subarray(checksumOffset + 4, certificateEntryOffset));
  hash.update(bytes.subarray(certificateEntryOffset + 8, headersSizeBytes));
  let hashedBytes = headersSizeBytes;
  for (const section of sections.toSorted((left, right) => left.fileOffset - right.fileOffset)) {
    if (section.fileSizeBytes === 0) continue;
    hash.update(view.slice(section.fileOffset, section.fileSizeBytes));
    hashedBytes += section.fileSizeBytes;
  }
  const signedEnd = certificates.sizeBytes > 0 ? certificates.offset : bytes.length;
  if (hashedBytes > signedEnd) {
    throw view.fault(
      'formats/pe-invalid',
      `sections of ${hashedBytes} bytes in ${signedEnd}, expected no overlap`,
    );
  }
  hash.update(bytes.subarray(hashedBytes, signedEnd));
  hash.update(new Uint8Array(alignUp(signedEnd, CERTIFICATE_ALIGNMENT) - signedEnd));
  return new Uint8Array(hash.digest());
}
