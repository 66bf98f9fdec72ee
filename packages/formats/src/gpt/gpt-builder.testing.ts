import { crc32 } from 'node:zlib';
import { encodeGuid } from '../efi/guid.ts';
import type { GptPartition } from './read-gpt.ts';

export const SECTOR_BYTES = 512;
const TABLE_SECTORS = 32;
const DISK_UUID = 'd9b4f2f0-8472-4dcd-8710-c3cee430ff82';

export type PartitionParts = Pick<
  GptPartition,
  'number' | 'typeGuid' | 'uuid' | 'label' | 'firstLba' | 'lastLba'
>;

/** buildGpt makes a disk image for tests: both headers, both tables, empty partitions. */
export function buildGpt(sectors: number, partitions: readonly PartitionParts[]): Uint8Array {
  const disk = new Uint8Array(sectors * SECTOR_BYTES);
  const table = new Uint8Array(TABLE_SECTORS * SECTOR_BYTES);
  const view = new DataView(table.buffer);
  for (const { number, typeGuid, uuid, label, firstLba, lastLba } of partitions) {
    const at = (number - 1) * 128;
    table.set(encodeGuid(typeGuid), at);
    table.set(encodeGuid(uuid), at + 16);
    view.setBigUint64(at + 32, BigInt(firstLba), true);
    view.setBigUint64(at + 40, BigInt(lastLba), true);
    table.set(Buffer.from(label, 'utf16le'), at + 56);
  }
  const last = sectors - 1;
  disk.set(table, 2 * SECTOR_BYTES);
  disk.set(table, (last - TABLE_SECTORS) * SECTOR_BYTES);
  disk.set(header(table, last, { own: 1, other: last, table: 2 }), SECTOR_BYTES);
  disk.set(header(table, last, { own: last, other: 1, table: last - TABLE_SECTORS }), last * SECTOR_BYTES);
  return disk;
}

function header(
  table: Uint8Array,
  last: number,
  lbas: { readonly own: number; readonly other: number; readonly table: number },
): Uint8Array {
  const bytes = new Uint8Array(92);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('EFI PART', 'latin1'));
  view.setUint32(8, 0x1_0000, true);
  view.setUint32(12, 92, true);
  const values = [lbas.own, lbas.other, 2 + TABLE_SECTORS, last - TABLE_SECTORS - 1];
  for (const [index, value] of values.entries()) view.setBigUint64(24 + index * 8, BigInt(value), true);
  bytes.set(encodeGuid(DISK_UUID), 56);
  view.setBigUint64(72, BigInt(lbas.table), true);
  view.setUint32(80, 128, true);
  view.setUint32(84, 128, true);
  view.setUint32(88, crc32(table), true);
  view.setUint32(16, crc32(bytes), true);
  return bytes;
}
