import { createHash } from 'node:crypto';
import { messageOf, PlinthError } from '@plinth/base';
import { type PeHead, readCertificateTable, readEfiList, readPeHead, signedBytes } from '@plinth/formats';
import { EFI_GLOBAL, efiData, efiVariablePath, parseEfiByte } from '../../kernel/efi-variable.ts';
import { readBytes, type Sys } from '../../sys/sys.ts';
import { judgeUki } from './judge-uki.ts';

/** The keys that firmware starts programs by (UEFI 2.10, 32.4). */
const EFI_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const SECURE_BOOT = efiVariablePath('SecureBoot', EFI_GLOBAL);
const DB = efiVariablePath('db', EFI_SECURITY);
const DBX = efiVariablePath('dbx', EFI_SECURITY);
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
 * there, and no counter brings the node back. It looks whether the firmware allows these very bytes (db), or has a key for a signature that
 * is over them, and forbids neither (dbx); the firmware itself checks it for good. Without Secure Boot nothing is refused.
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
    const dbx = await readBytes(sys, DBX);
    const head = readPeHead(await uki.read(0, HEAD_BYTES));
    const { offset, sizeBytes } = head.certificates;
    if (sizeBytes > 0 && (sizeBytes > TABLE_LIMIT_BYTES || offset + sizeBytes !== uki.sizeBytes))
      throw new RangeError('its certificates are not at its end');
    const table = sizeBytes > 0 ? readCertificateTable(await uki.read(offset, sizeBytes)) : [];
    const why = judgeUki({
      digest: await digestOf(uki, head),
      signatures: table.map((each) => Buffer.from(each)),
      allowed: readEfiList(efiData(db)),
      // Firmware that forbids nothing may have no dbx at all.
      forbidden: dbx ? readEfiList(efiData(dbx)) : [],
    });
    if (why !== undefined) throw refuse(why);
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
