import { createHash, X509Certificate } from 'node:crypto';
import { messageOf, PlinthError } from '@plinth/base';
import { readSignatureLists } from '@plinth/formats';
import { EFI_GLOBAL, efiVariablePath, parseEfiByte } from '../../kernel/efi-variable.ts';
import { readBytes, type Sys } from '../../sys/sys.ts';

/** The keys that firmware starts programs by (UEFI 2.10, 32.4). */
const EFI_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const SECURE_BOOT = efiVariablePath('SecureBoot', EFI_GLOBAL);
const DB = efiVariablePath('db', EFI_SECURITY);
const ATTRIBUTE_BYTES = 4;
const HEAD_BYTES = 4096;
const PIECE_BYTES = 256 * 1024;
const TABLE_LIMIT_BYTES = 64 * 1024;
/** Directory of certificates: the fifth, in the optional header of PE32+ (PE format, "Optional Header Data Directories"). */
const CERTIFICATES = { magic: 0x20b, directoriesAt: 112, entry: 4, checksumAt: 64 };
/** WIN_CERTIFICATE: length, revision, type; entries begin at multiples of eight. */
const ENTRY_HEADER_BYTES = 8;
const PKCS_SIGNED_DATA = 2;

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
    const keys = readSignatureLists(db.subarray(ATTRIBUTE_BYTES)).map(({ certificateDer }) => certificateDer);
    const layout = layoutOf(Buffer.from(await uki.read(0, HEAD_BYTES)), uki.sizeBytes);
    if (!layout) throw refuse('it is not signed');
    const table = await uki.read(layout.tableAt, layout.tableBytes);
    const digest = await authenticodeDigest(uki, layout);
    const own = signaturesIn(Buffer.from(table)).filter((signature) => signature.includes(digest));
    if (own.length === 0) throw refuse('no signature is over its bytes');
    if (!own.some((signature) => isByKey(signature, keys)))
      throw refuse('the firmware has no key that its signature is by');
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'update/uki-not-trusted') throw reason;
    throw refuse(`whether the firmware starts it cannot be told (${messageOf(reason)})`);
  }
}

interface Layout {
  readonly checksumAt: number;
  readonly directoryAt: number;
  readonly tableAt: number;
  readonly tableBytes: number;
}

/** layoutOf finds what a signature does not cover; undefined for a program that is not signed. Throws RangeError for what is no PE. */
function layoutOf(head: Buffer, sizeBytes: number): Layout | undefined {
  const optional = head.readUInt32LE(0x3c) + 24;
  if (head.readUInt16LE(optional) !== CERTIFICATES.magic) throw new RangeError('no PE32+');
  const directoryAt = optional + CERTIFICATES.directoriesAt + CERTIFICATES.entry * 8;
  const [tableAt, tableBytes] = [head.readUInt32LE(directoryAt), head.readUInt32LE(directoryAt + 4)];
  if (tableBytes === 0) return undefined;
  if (tableBytes > TABLE_LIMIT_BYTES || tableAt < directoryAt + 8 || tableAt + tableBytes !== sizeBytes)
    throw new RangeError('its certificates are not at its end');
  return { checksumAt: optional + CERTIFICATES.checksumAt, directoryAt, tableAt, tableBytes };
}

/** authenticodeDigest hashes what a signature covers: all but the checksum, the directory entry and the table. */
async function authenticodeDigest(
  uki: UkiFile,
  { checksumAt, directoryAt, tableAt }: Layout,
): Promise<Buffer> {
  const hash = createHash('sha256');
  const covered: readonly (readonly [from: number, to: number])[] = [
    [0, checksumAt],
    [checksumAt + 4, directoryAt],
    [directoryAt + 8, tableAt],
  ];
  for (const [from, to] of covered)
    for (let at = from; at < to; at += PIECE_BYTES)
      hash.update(await uki.read(at, Math.min(PIECE_BYTES, to - at)));
  return hash.digest();
}

function signaturesIn(table: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + ENTRY_HEADER_BYTES <= table.length; ) {
    const lengthBytes = table.readUInt32LE(at);
    if (lengthBytes < ENTRY_HEADER_BYTES || at + lengthBytes > table.length) break;
    if (table.readUInt16LE(at + 6) === PKCS_SIGNED_DATA)
      found.push(table.subarray(at + ENTRY_HEADER_BYTES, at + lengthBytes));
    at += Math.ceil(lengthBytes / 8) * 8;
  }
  return found;
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
