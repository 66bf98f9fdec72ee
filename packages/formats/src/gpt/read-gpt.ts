import { crc32 } from 'node:zlib';
import type { BlockReader } from '../block-reader.ts';
import { ByteView } from '../byte-view.ts';
import { decodeGuid } from '../efi/guid.ts';
import { partitionTypes } from './partition-types.ts';

export interface GptPartition {
  /** As in /dev/vda3: position in the table, from 1. */
  readonly number: number;
  readonly typeGuid: string;
  /** Name of the type in the Discoverable Partitions Specification (UAPI.2); "unknown" for others. */
  readonly typeName: string;
  readonly uuid: string;
  readonly label: string;
  readonly firstLba: number;
  /** Inclusive. */
  readonly lastLba: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly flags: { readonly readOnly: boolean; readonly noAuto: boolean; readonly growFileSystem: boolean };
}

export interface Gpt {
  readonly diskUuid: string;
  readonly sectorBytes: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  /** In order of their number; free entries are left out. */
  readonly partitions: readonly GptPartition[];
}

interface GptHeader extends Omit<Gpt, 'partitions'> {
  readonly name: 'primary' | 'backup';
  readonly otherLba: number;
  readonly tableLba: number;
  readonly entryCount: number;
  readonly entryBytes: number;
  readonly tableCrc: number;
}

const ENTRY_COUNT_LIMIT = 1024;
const EMPTY_TYPE = '00000000-0000-0000-0000-000000000000';
const WHAT = 'GUID partition table';

/**
 * readGpt reads the partitions of a disk (UEFI 2.10, chapter 5). Both headers and both tables must have their CRC and
 * must agree: a disk that lost one of them is not one to build on.
 * @throws formats/gpt-invalid, formats/truncated, formats/limit
 */
export async function readGpt(
  disk: BlockReader,
  options: { readonly sectorBytes?: number } = {},
): Promise<Gpt> {
  const sectorBytes = options.sectorBytes ?? 512;
  const lastLba = Math.floor(disk.sizeBytes / sectorBytes) - 1;
  const empty = new ByteView(new Uint8Array(), { what: WHAT });
  if (lastLba < 3)
    throw empty.fault('formats/gpt-invalid', `a disk of ${disk.sizeBytes} bytes, expected a larger one`);
  const primary = await readHeader(disk, sectorBytes, 1, 'primary');
  // The backup belongs on the last sector, but an image written to a larger disk has it where the primary says.
  const backup = await readHeader(disk, sectorBytes, primary.otherLba, 'backup');
  const table = await readTable(disk, primary);
  await readTable(disk, backup);
  if (backup.tableCrc !== primary.tableCrc || backup.diskUuid !== primary.diskUuid) {
    throw empty.fault(
      'formats/gpt-invalid',
      'primary and backup tables differ, expected the same partitions',
    );
  }
  const { diskUuid, firstUsableLba, lastUsableLba } = primary;
  return { diskUuid, sectorBytes, firstUsableLba, lastUsableLba, partitions: readPartitions(table, primary) };
}

async function readHeader(
  disk: BlockReader,
  sectorBytes: number,
  lba: number,
  name: GptHeader['name'],
): Promise<GptHeader> {
  const view = await readView(disk, lba * sectorBytes, sectorBytes);
  const invalid = (state: string) => view.fault('formats/gpt-invalid', `its ${name} header ${state}`);
  if (Buffer.from(view.slice(0, 8)).toString('latin1') !== 'EFI PART') {
    throw invalid('has no signature, expected "EFI PART"');
  }
  const headerBytes = view.u32(12);
  if (headerBytes < 92 || headerBytes > sectorBytes)
    throw invalid(`has ${headerBytes} bytes, expected 92 to a sector`);
  const covered = new Uint8Array(view.slice(0, headerBytes)).fill(0, 16, 20);
  if (crc32(covered) !== view.u32(16)) throw invalid('does not have its CRC, expected it to');
  if (view.u64(24) !== lba) throw invalid(`says it is at sector ${view.u64(24)}, expected ${lba}`);
  const [entryCount, entryBytes] = [view.u32(80), view.u32(84)];
  if (entryCount > ENTRY_COUNT_LIMIT || entryBytes < 128 || entryBytes > 4096) {
    const state = `${entryCount} entries of ${entryBytes} bytes, expected at most ${ENTRY_COUNT_LIMIT} of 128 to 4096`;
    throw view.fault('formats/limit', state);
  }
  return {
    name,
    sectorBytes,
    otherLba: view.u64(32),
    firstUsableLba: view.u64(40),
    lastUsableLba: view.u64(48),
    diskUuid: decodeGuid(view.slice(56, 16)),
    tableLba: view.u64(72),
    entryCount,
    entryBytes,
    tableCrc: view.u32(88),
  };
}

async function readTable(disk: BlockReader, header: GptHeader): Promise<ByteView> {
  const view = await readView(
    disk,
    header.tableLba * header.sectorBytes,
    header.entryCount * header.entryBytes,
  );
  if (crc32(view.bytes) === header.tableCrc) return view;
  throw view.fault(
    'formats/gpt-invalid',
    `its ${header.name} entries do not have their CRC, expected them to`,
  );
}

/** readPartitions decodes the entries of a table whose CRC was checked. */
export function readPartitions(
  table: ByteView,
  header: Pick<GptHeader, 'sectorBytes' | 'entryCount' | 'entryBytes' | 'firstUsableLba' | 'lastUsableLba'>,
): GptPartition[] {
  const partitions: GptPartition[] = [];
  for (let index = 0; index < header.entryCount; index++) {
    const at = index * header.entryBytes;
    const typeGuid = decodeGuid(table.slice(at, 16));
    if (typeGuid === EMPTY_TYPE) continue;
    const [firstLba, lastLba] = [table.u64(at + 32), table.u64(at + 40)];
    if (firstLba > lastLba || firstLba < header.firstUsableLba || lastLba > header.lastUsableLba) {
      const state = `partition ${index + 1} has sectors ${firstLba} to ${lastLba}`;
      throw table.fault(
        'formats/gpt-invalid',
        `${state}, expected them inside ${header.firstUsableLba} to ${header.lastUsableLba}`,
      );
    }
    // Bits 59, 60 and 63 of the attributes, as the Discoverable Partitions Specification uses them.
    const attributes = table.u32(at + 52);
    partitions.push({
      number: index + 1,
      typeGuid,
      typeName: partitionTypes[typeGuid] ?? 'unknown',
      uuid: decodeGuid(table.slice(at + 16, 16)),
      label: new TextDecoder('utf-16le').decode(table.slice(at + 56, 72)).replace(/\0[\s\S]*$/, ''),
      firstLba,
      lastLba,
      offsetBytes: firstLba * header.sectorBytes,
      sizeBytes: (lastLba - firstLba + 1) * header.sectorBytes,
      flags: {
        growFileSystem: (attributes & (1 << 27)) !== 0,
        readOnly: (attributes & (1 << 28)) !== 0,
        noAuto: (attributes & (1 << 31)) !== 0,
      },
    });
  }
  return partitions;
}

/** Reads a range after a check that the disk has it; the bytes are copied, as readers may reuse their buffer. */
async function readView(disk: BlockReader, offset: number, lengthBytes: number): Promise<ByteView> {
  if (offset + lengthBytes > disk.sizeBytes) {
    const nothing = new ByteView(new Uint8Array(), { what: WHAT });
    throw nothing.fault(
      'formats/truncated',
      `bytes ${offset} to ${offset + lengthBytes} lie behind the disk's end`,
    );
  }
  return new ByteView(new Uint8Array(await disk.read(offset, lengthBytes)), { what: WHAT });
}
