import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { alignUp } from '../bytes.ts';
import { type PeHead, readPe } from './read-pe.ts';

/** The certificate table starts on a multiple of this; what is padded is signed. */
export const CERTIFICATE_ALIGNMENT = 8;

/** What of a file a signature covers. */
export interface SignedBytes {
  /** Offsets from and to, in the order of hashing. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** Zeros that are hashed behind them: those an unsigned file gets when it is signed. */
  readonly paddingBytes: number;
}

/**
 * signedBytes says what a signature of an EFI program covers: everything but the checksum, the entry of the certificate table
 * and that table (Microsoft "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE Image
 * Hash").
 * @param sizeBytes of the file
 * @throws formats/pe-invalid
 */
export function signedBytes(head: PeHead, sizeBytes: number): SignedBytes {
  const { headersSizeBytes, checksumOffset, certificateEntryOffset, certificates } = head;
  const sections = head.sections
    .filter(({ fileSizeBytes }) => fileSizeBytes > 0)
    .toSorted((left, right) => left.fileOffset - right.fileOffset)
    .map(({ fileOffset, fileSizeBytes }) => [fileOffset, fileOffset + fileSizeBytes] as const);
  const hashedBytes = sections.reduce((sum, [from, to]) => sum + to - from, headersSizeBytes);
  const signedEnd = certificates.sizeBytes > 0 ? certificates.offset : sizeBytes;
  if (hashedBytes > signedEnd) {
    throw new PlinthError(
      'formats/pe-invalid',
      `Cannot hash EFI program: sections of ${hashedBytes} bytes in ${signedEnd}, expected no overlap`,
    );
  }
  return {
    ranges: [
      [0, checksumOffset],
      [checksumOffset + 4, certificateEntryOffset],
      [certificateEntryOffset + 8, headersSizeBytes],
      ...sections,
      [hashedBytes, signedEnd],
    ],
    paddingBytes: alignUp(signedEnd, CERTIFICATE_ALIGNMENT) - signedEnd,
  };
}

/**
 * authenticodeDigest hashes what a signature of an EFI program covers, see signedBytes. For an unsigned file it is the digest the
 * file will have once it is signed, zero padding to 8 bytes included. Firmware extends PCR 4 with the same value.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function authenticodeDigest(
  bytes: Uint8Array,
  algorithm: 'sha256' | 'sha384' | 'sha512' = 'sha256',
): Uint8Array {
  const { ranges, paddingBytes } = signedBytes(readPe(bytes), bytes.length);
  const hash = createHash(algorithm);
  for (const [from, to] of ranges) hash.update(bytes.subarray(from, to));
  hash.update(new Uint8Array(paddingBytes));
  return new Uint8Array(hash.digest());
}
