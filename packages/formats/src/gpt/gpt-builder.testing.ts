import { crc32 } from 'node:zlib';
import { encodeGuid } from '../efi/guid.ts';
import type { GptPartition } from './read-gpt.ts';

export const SECTOR_BYTES = 512;
const TABLE_BYTES = 128 * 128;
const DISK_UUID = 'd9b4f2f0-8472-4dcd-8710-c3cee430ff82';

export type PartitionParts = Pick<
  GptPartition,
  'number' | 'typeGuid' | 'uuid' | 'label' | 'firstLba' | 'lastLba'
>;

/** buildGpt makes a disk image for tests: both headers, both tables, empty partitions. */
export function buildGpt(
  sectors: number,
  partitions: readonly PartitionParts[],
  sectorBytes = SECTOR_BYTES,
): Uint8Array {
  const disk = new Uint8Array(sectors * sectorBytes);
  const table = new Uint8Array(TABLE_BYTES);
  const tableSectors = TABLE_BYTES / sectorBytes;
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
  const usable = [2 + tableSectors, last - tableSectors - 1] as const;
  disk.set(table, 2 * sectorBytes);
  disk.set(table, (last - tableSectors) * sectorBytes);
  disk.set(header(table, usable, { own: 1, other: last, table: 2 }), sectorBytes);
  disk.set(header(table, usable, { own: last, other: 1, table: last - tableSectors }), last * sectorBytes);
  return disk;
}

function header(
  table: Uint8Array,
  usable: readonly [first: number, last: number],
  lbas: { readonly own: number; readonly other: number; readonly table: number },
): Uint8Array {
  const bytes = new Uint8Array(92);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('EFI PART', 'latin1'));
  view.setUint32(8, 0x1_0000, true);
  view.setUint32(12, 92, true);
  const values = [lbas.own, lbas.other, ...usable];
  for (const [index, value] of values.entries()) view.setBigUint64(24 + index * 8, BigInt(value), true);
  bytes.set(encodeGuid(DISK_UUID), 56);
  view.setBigUint64(72, BigInt(lbas.table), true);
  view.setUint32(80, 128, true);
  view.setUint32(84, 128, true);
  view.setUint32(88, crc32(table), true);
  view.setUint32(16, crc32(bytes), true);
  return bytes;
}
