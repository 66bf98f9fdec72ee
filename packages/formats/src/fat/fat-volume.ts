import { PlinthError } from '@plinth/base';
import type { BlockReader } from '../block-reader.ts';

/** One name in a folder. */
export interface FatEntry {
  /** As it was written. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Of its content; 0 when it has none. */
  readonly firstCluster: number;
  readonly sizeBytes: number;
  /** Where the 32-byte records of this name lie on the volume; the last one is the entry itself, those before hold its long name. */
  readonly records: readonly number[];
}

/** A FAT16 or FAT32 file system, read without mounting it. */
export interface FatVolume {
  readonly sectorBytes: number;
  /** Lists a folder. @param folder of the volume, or of another folder; default: the top */
  list(folder?: FatEntry): Promise<readonly FatEntry[]>;
  /** Reads the content of a file. */
  read(file: FatEntry): Promise<Uint8Array>;
}

const FAT_RECORD_BYTES = 32;
/** First byte of a record that is free. */
export const FAT_FREE = 0xe5;
const ATTRIBUTE_VOLUME = 0x08;
const ATTRIBUTE_FOLDER = 0x10;
const ATTRIBUTE_LONG_NAME = 0x0f;
const FILE_LIMIT_BYTES = 512 * 2 ** 20;
const FOLDER_LIMIT_BYTES = 4 * 2 ** 20;

/** Bytes that lie in one piece on the volume. */
interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Layout {
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly dataOffset: number;
  /** Cluster that follows each cluster; 2 is the first. */
  readonly next: (cluster: number) => number;
  readonly endMark: number;
  /** FAT32: first cluster of the top folder. FAT16: its place. */
  readonly top: number | { readonly offset: number; readonly lengthBytes: number };
}

/**
 * openFat reads the layout of a FAT16 or FAT32 file system (Microsoft "FAT: General Overview of On-Disk Format" 1.03).
 * @throws formats/fat-invalid
 */
export async function openFat(reader: BlockReader): Promise<FatVolume> {
  const layout = await readLayout(reader);
  return {
    sectorBytes: layout.sectorBytes,
    async list(folder) {
      if (folder && !folder.isFolder) throw fatInvalid(`${folder.name} is a file`, 'a folder');
      if (folder || typeof layout.top === 'number') {
        const first = folder?.firstCluster ?? (layout.top as number);
        return parseFolder(await readChain(reader, layout, first));
      }
      const { offset, lengthBytes } = layout.top;
      return parseFolder([{ offset, bytes: await reader.read(offset, lengthBytes) }]);
    },
    async read({ name, firstCluster, sizeBytes }) {
      if (sizeBytes > FILE_LIMIT_BYTES) throw fatInvalid(`${name} is huge`, 'a boot file');
      const pieces = await readChain(reader, layout, firstCluster, sizeBytes);
      return new Uint8Array(Buffer.concat(pieces.map(({ bytes }) => bytes))).subarray(0, sizeBytes);
    },
  };
}

async function readLayout(reader: BlockReader): Promise<Layout> {
  const boot = Buffer.from(await reader.read(0, 512));
  const sectorBytes = boot.readUInt16LE(11);
  const clusterBytes = sectorBytes * boot.readUInt8(13);
  const reservedSectors = boot.readUInt16LE(14);
  const fatCount = boot.readUInt8(16);
  const rootEntries = boot.readUInt16LE(17);
  const totalSectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
  const isFat = boot.readUInt16LE(510) === 0xaa55 && [512, 1024, 2048, 4096].includes(sectorBytes);
  if (!isFat || clusterBytes === 0) throw fatInvalid('no FAT boot sector', 'one');
  const rootOffset = (reservedSectors + fatCount * fatSectors) * sectorBytes;
  const dataOffset = rootOffset + rootEntries * FAT_RECORD_BYTES;
  const clusters = Math.floor((totalSectors * sectorBytes - dataOffset) / clusterBytes);
  if (clusters < 4085) throw fatInvalid('FAT12', 'FAT16 or FAT32');
  const wide = clusters >= 65_525;
  const fatBytes = (clusters + 2) * (wide ? 4 : 2);
  if (totalSectors * sectorBytes > reader.sizeBytes || fatBytes > fatSectors * sectorBytes) {
    throw fatInvalid('sizes that do not fit the partition', 'sizes that do');
  }
  const fat = Buffer.from(await reader.read(reservedSectors * sectorBytes, fatBytes));
  return {
    sectorBytes,
    clusterBytes,
    dataOffset,
    endMark: wide ? 0x0fff_fff8 : 0xfff8,
    next: (cluster) => {
      if (cluster < 2 || cluster >= clusters + 2)
        throw fatInvalid(`cluster ${cluster}`, `2 to ${clusters + 1}`);
      return wide ? fat.readUInt32LE(cluster * 4) & 0x0fff_ffff : fat.readUInt16LE(cluster * 2);
    },
    top: wide ? boot.readUInt32LE(44) : { offset: rootOffset, lengthBytes: rootEntries * FAT_RECORD_BYTES },
  };
}

/** Content of a chain of clusters up to its end, or as many as a known size takes; a loop ends at the limit. */
async function readChain(
  reader: BlockReader,
  layout: Layout,
  first: number,
  sizeBytes?: number,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const limit = Math.ceil((sizeBytes ?? FOLDER_LIMIT_BYTES) / layout.clusterBytes);
  for (let cluster = first; pieces.length < limit && cluster < layout.endMark; ) {
    const following = layout.next(cluster);
    const offset = layout.dataOffset + (cluster - 2) * layout.clusterBytes;
    pieces.push({ offset, bytes: new Uint8Array(await reader.read(offset, layout.clusterBytes)) });
    cluster = following;
  }
  if (pieces.length * layout.clusterBytes < (sizeBytes ?? 0))
    throw fatInvalid('a file cut short', 'all of it');
  return pieces;
}

function parseFolder(pieces: readonly Piece[]): FatEntry[] {
  const entries: FatEntry[] = [];
  let longName = '';
  let records: number[] = [];
  const forget = () => {
    longName = '';
    records = [];
  };
  for (const { offset, bytes } of pieces) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + FAT_RECORD_BYTES <= view.length; at += FAT_RECORD_BYTES) {
      const record = view.subarray(at, at + FAT_RECORD_BYTES);
      const attributes = record.readUInt8(11);
      if (record[0] === 0) return entries;
      if (record[0] === FAT_FREE) {
        forget();
        continue;
      }
      records.push(offset + at);
      if (attributes === ATTRIBUTE_LONG_NAME) {
        longName = longNamePart(record) + longName;
        continue;
      }
      const name = longName === '' ? shortName(record) : longName;
      if ((attributes & ATTRIBUTE_VOLUME) === 0 && name !== '.' && name !== '..') {
        entries.push({
          name,
          isFolder: (attributes & ATTRIBUTE_FOLDER) !== 0,
          firstCluster: ((record.readUInt16LE(20) << 16) | record.readUInt16LE(26)) >>> 0,
          sizeBytes: record.readUInt32LE(28),
          records,
        });
      }
      forget();
    }
  }
  return entries;
}

/** Thirteen UTF-16 units in three runs; the parts of a name come last part first. */
function longNamePart(record: Buffer): string {
  const units = [record.subarray(1, 11), record.subarray(14, 26), record.subarray(28, 32)];
  return Buffer.concat(units)
    .toString('utf16le')
    .replace(/\0[\s\S]*$/, '');
}

function shortName(record: Buffer): string {
  // Windows NT keeps in this byte whether name and extension were written in lower case; Linux and mtools do too.
  const flags = record.readUInt8(12);
  const part = (from: number, to: number, lower: number) => {
    const text = record.toString('latin1', from, to).trimEnd();
    return flags & lower ? text.toLowerCase() : text;
  };
  const [name, extension] = [part(0, 8, 0x08), part(8, 11, 0x10)];
  return extension === '' ? name : `${name}.${extension}`;
}

export function fatInvalid(state: string, expected: string): PlinthError {
  return new PlinthError(
    'formats/fat-invalid',
    `Cannot read the FAT file system: ${state}, expected ${expected}`,
  );
}
