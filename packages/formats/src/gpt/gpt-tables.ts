import { crc32 } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import type { BlockReader } from '../block-reader.ts';
import { ByteView } from '../byte-view.ts';
import { alignUp } from '../bytes.ts';
import { type GptPartition, readPartitions } from './read-gpt.ts';

const WHAT = 'GUID partition table';
export const GPT_HEADER_BYTES = 92;
export const GPT_ENTRY_BYTES = 128;
const ENTRY_COUNT_LIMIT = 1024;

/** Where a table lies, in sectors. */
export interface GptPlace {
  readonly headerLba: number;
  readonly entriesLba: number;
}

/** A table that is sound: its CRCs hold, and its parts are where they belong. */
export interface GptTable extends GptPlace {
  /** The whole sector. */
  readonly header: Uint8Array;
  /** All entries, in whole sectors. */
  readonly entries: Uint8Array;
  readonly entryCount: number;
}

/** Both tables of a disk, as far as they are sound. One may be missing: a write was cut. */
export interface GptTables {
  readonly sectorBytes: number;
  readonly primary?: GptTable;
  readonly backup?: GptTable;
  /** The table that firmware and kernel go by: the primary one, or the backup when that is not sound. */
  readonly valid: GptTable;
  /** Where the one that is not `valid` lies, or belongs. */
  readonly otherPlace: GptPlace;
  /** What the valid one says. */
  readonly partitions: readonly GptPartition[];
}

/**
 * readGptTables reads both tables of a disk that may have been cut off in the middle of a change. Stricter than readGpt in what it
 * understands, as what it reads is there to be written again; milder in that one sound table is enough, and that the two may differ.
 * @throws formats/gpt-invalid when neither is sound
 */
export async function readGptTables(
  disk: BlockReader,
  options: { readonly sectorBytes?: number } = {},
): Promise<GptTables> {
  const sectorBytes = options.sectorBytes ?? 512;
  const lastLba = Math.floor(disk.sizeBytes / sectorBytes) - 1;
  const primary = await readTable(disk, sectorBytes, 1);
  // An image written to a larger disk has its backup where the primary header says, not on the last sector.
  const backup = await readTable(disk, sectorBytes, primary.otherLba ?? lastLba);
  const valid = primary.table ?? backup.table;
  if (!valid) {
    throw new PlinthError(
      'formats/gpt-invalid',
      `Cannot read ${WHAT}: primary: ${primary.problem}; backup: ${backup.problem}; expected one of them to be sound`,
    );
  }
  const sectors = valid.entries.length / sectorBytes;
  const header = new ByteView(valid.header, { what: WHAT });
  const otherLba = header.u64(32);
  const otherPlace = primary.table
    ? (backup.place ?? { headerLba: otherLba, entriesLba: otherLba - sectors })
    : (primary.place ?? { headerLba: otherLba, entriesLba: otherLba + 1 });
  const limits = {
    sectorBytes,
    entryCount: valid.entryCount,
    entryBytes: GPT_ENTRY_BYTES,
    firstUsableLba: header.u64(40),
    lastUsableLba: header.u64(48),
  };
  return {
    sectorBytes,
    ...(primary.table ? { primary: primary.table } : {}),
    ...(backup.table ? { backup: backup.table } : {}),
    valid,
    otherPlace,
    partitions: readPartitions(new ByteView(valid.entries, { what: WHAT }), limits),
  };
}

/** What could be read of one table. */
interface TableRead {
  readonly problem?: string;
  /** Absent unless all of it is sound. */
  readonly table?: GptTable;
  /** Absent unless the header is sound. */
  readonly place?: GptPlace;
  readonly otherLba?: number;
}

async function readTable(disk: BlockReader, sectorBytes: number, headerLba: number): Promise<TableRead> {
  const sectors = Math.floor(disk.sizeBytes / sectorBytes);
  if (headerLba < 1 || headerLba >= sectors) {
    return { problem: `its header at sector ${headerLba} lies outside the disk` };
  }
  const header = new Uint8Array(await disk.read(headerLba * sectorBytes, sectorBytes));
  const view = new ByteView(header, { what: WHAT });
  if (Buffer.from(header.subarray(0, 8)).toString('latin1') !== 'EFI PART') {
    return { problem: 'it has no signature "EFI PART"' };
  }
  if (view.u32(8) !== 0x1_0000 || view.u32(12) !== GPT_HEADER_BYTES) {
    return { problem: 'it has another revision or header size' };
  }
  if (gptHeaderCrc(header) !== view.u32(16)) return { problem: 'its header does not have its CRC' };
  const [ownLba, otherLba] = [view.u64Clamped(24), view.u64Clamped(32)];
  const [firstUsable, lastUsable, entriesLba] = [
    view.u64Clamped(40),
    view.u64Clamped(48),
    view.u64Clamped(72),
  ];
  const [entryCount, entryBytes] = [view.u32(80), view.u32(84)];
  if (entryBytes !== GPT_ENTRY_BYTES || entryCount === 0 || entryCount > ENTRY_COUNT_LIMIT) {
    return { problem: `it has ${entryCount} entries of ${entryBytes} bytes` };
  }
  const sizeBytes = alignUp(entryCount * GPT_ENTRY_BYTES, sectorBytes);
  const entriesEnd = entriesLba + sizeBytes / sectorBytes;
  const inPlace =
    headerLba === 1
      ? entriesLba > headerLba && entriesEnd <= firstUsable && otherLba > lastUsable
      : entriesLba > lastUsable && entriesEnd <= headerLba && otherLba === 1;
  if (ownLba !== headerLba || !inPlace || firstUsable > lastUsable || otherLba >= sectors) {
    return { problem: 'its parts do not lie where they belong' };
  }
  const place = { headerLba, entriesLba };
  const entries = new Uint8Array(await disk.read(entriesLba * sectorBytes, sizeBytes));
  if (crc32(entries.subarray(0, entryCount * GPT_ENTRY_BYTES)) !== view.u32(88)) {
    return { problem: 'its entries do not have their CRC', place, otherLba };
  }
  return { table: { ...place, header, entries, entryCount }, place, otherLba };
}

/** gptHeaderCrc is the CRC that a header's first 92 bytes should carry. */
export function gptHeaderCrc(header: Uint8Array): number {
  return crc32(header.slice(0, GPT_HEADER_BYTES).fill(0, 16, 20));
}
