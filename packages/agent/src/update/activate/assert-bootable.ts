import { createHash, X509Certificate } from 'node:crypto';
import { messageOf, PlinthError } from '@plinth/base';
import {
  type PeHead,
  readCertificateTable,
  readPeHead,
  readSignatureLists,
  signedBytes,
} from '@plinth/formats';
import { EFI_GLOBAL, efiData, efiVariablePath, parseEfiByte } from '../../kernel/efi-variable.ts';
import { readBytes, type Sys } from '../../sys/sys.ts';

/** The keys that firmware starts programs by (UEFI 2.10, 32.4). */
const EFI_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const SECURE_BOOT = efiVariablePath('SecureBoot', EFI_GLOBAL);
const DB = efiVariablePath('db', EFI_SECURITY);
const HEAD_BYTES = 4096;
const PIECE_BYTES = 256 * 1024;
const TABLE_LIMIT_BYTES = 64 * 1024;

/** A UKI on the disk. */
export interface UkiFile {
  readonly sizeBytes: number;
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

/**
 * assertBootable refuses a UKI that the firmware would not start: a boot loader that is refused returns to the firmware, which stops
 * there, and no counter brings the node back. It looks whether a signature is over these very bytes, and whether the firmware has a key
 * for it; the firmware itself checks it for good. Without Secure Boot nothing is refused.
 * @throws update/uki-not-trusted
 */
export async function assertBootable(
  sys: Pick<Sys, 'readFile'>,
  uki: UkiFile,
  version: string,
): Promise<void> {
  const secureBoot = await readBytes(sys, SECURE_BOOT);
  if (!secureBoot || parseEfiByte(secureBoot) === 0) return;
  const refuse = (state: string) =>
    new PlinthError(
      'update/uki-not-trusted',
      `Cannot activate ${version}: ${state}, expected a kernel image that this firmware starts`,
    );
  try {
    const db = await readBytes(sys, DB);
    if (!db) throw refuse('the keys of the firmware cannot be read');
    const keys = readSignatureLists(efiData(db)).map(({ certificateDer }) => certificateDer);
    const head = readPeHead(await uki.read(0, HEAD_BYTES));
    const { offset, sizeBytes } = head.certificates;
    if (sizeBytes === 0) throw refuse('it is not signed');
    if (sizeBytes > TABLE_LIMIT_BYTES || offset + sizeBytes !== uki.sizeBytes)
      throw new RangeError('its certificates are not at its end');
    const signatures = readCertificateTable(await uki.read(offset, sizeBytes));
    const digest = await digestOf(uki, head);
    const own = signatures.map((each) => Buffer.from(each)).filter((each) => each.includes(digest));
    if (own.length === 0) throw refuse('no signature is over its bytes');
    if (!own.some((signature) => isByKey(signature, keys)))
      throw refuse('the firmware has no key that its signature is by');
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'update/uki-not-trusted') throw reason;
    throw refuse(`whether the firmware starts it cannot be told (${messageOf(reason)})`);
  }
}

/** As authenticodeDigest, but never more than a piece of it is in memory. */
async function digestOf(uki: UkiFile, head: PeHead): Promise<Buffer> {
  const hash = createHash('sha256');
  const { ranges, paddingBytes } = signedBytes(head, uki.sizeBytes);
  for (const [from, to] of ranges)
    for (let at = from; at < to; at += PIECE_BYTES)
      hash.update(await uki.read(at, Math.min(PIECE_BYTES, to - at)));
  return hash.update(new Uint8Array(paddingBytes)).digest();
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
