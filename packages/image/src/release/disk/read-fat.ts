import { PlinthError } from '@plinth/base';
import type { BlockReader } from '@plinth/formats';

/** The files of a FAT file system. Paths are "EFI/BOOT/BOOTX64.EFI", as they were written. */
export interface FatFiles {
  readonly paths: readonly string[];
  /** @throws release/disk-invalid when there is no such file */
  read(path: string): Promise<Uint8Array>;
}

interface Layout {
  readonly reader: BlockReader;
  readonly clusterBytes: number;
  readonly dataOffset: number;
  /** Cluster that follows each cluster; 2 is the first. */
  readonly next: (cluster: number) => number;
  readonly endMark: number;
  readonly root: Uint8Array;
}

interface FoundFile {
  readonly cluster: number;
  readonly sizeBytes: number;
}

const ENTRY_BYTES = 32;
const ATTRIBUTE_VOLUME = 0x08;
const ATTRIBUTE_FOLDER = 0x10;
const ATTRIBUTE_LONG_NAME = 0x0f;
const DEPTH_LIMIT = 16;
const FILE_LIMIT = 10_000;
const FILE_LIMIT_BYTES = 512 * 2 ** 20;
const FOLDER_LIMIT_BYTES = 4 * 2 ** 20;

/**
 * readFat reads the folders of a FAT16 or FAT32 file system (Microsoft "FAT: General Overview of On-Disk Format" 1.03);
 * for the EFI system partition, without mounting it.
 * @throws release/disk-invalid
 */
export async function readFat(reader: BlockReader): Promise<FatFiles> {
  const layout = await readLayout(reader);
  const files = new Map<string, FoundFile>();
  await walk(layout, layout.root, '', files, 0);
  return {
    paths: [...files.keys()].sort(),
    read: async (path) => {
      const file = files.get(path);
      if (!file) throw invalid(`no file ${path}`, 'it to be there');
      if (file.sizeBytes > FILE_LIMIT_BYTES) throw invalid(`${path} is huge`, 'a boot file');
      return (await readChain(layout, file.cluster, file.sizeBytes)).subarray(0, file.sizeBytes);
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
  if (
    boot.readUInt16LE(510) !== 0xaa55 ||
    ![512, 1024, 2048, 4096].includes(sectorBytes) ||
    clusterBytes === 0
  ) {
    throw invalid('no FAT boot sector', 'one');
  }
  const rootOffset = (reservedSectors + fatCount * fatSectors) * sectorBytes;
  const dataOffset = rootOffset + rootEntries * ENTRY_BYTES;
  const clusters = Math.floor((totalSectors * sectorBytes - dataOffset) / clusterBytes);
  if (clusters < 4085) throw invalid('FAT12', 'FAT16 or FAT32');
  const wide = clusters >= 65_525;
  const entryBytes = wide ? 4 : 2;
  if (
    totalSectors * sectorBytes > reader.sizeBytes ||
    (clusters + 2) * entryBytes > fatSectors * sectorBytes
  ) {
    throw invalid('sizes that do not fit the partition', 'sizes that do');
  }
  const fat = Buffer.from(await reader.read(reservedSectors * sectorBytes, (clusters + 2) * entryBytes));
  const layout = {
    reader,
    clusterBytes,
    dataOffset,
    endMark: wide ? 0x0fff_fff8 : 0xfff8,
    next: (cluster: number) => {
      if (cluster < 2 || cluster >= clusters + 2) throw invalid(`cluster ${cluster}`, `2 to ${clusters + 1}`);
      return wide ? fat.readUInt32LE(cluster * 4) & 0x0fff_ffff : fat.readUInt16LE(cluster * 2);
    },
  };
  const root = wide
    ? await readChain(layout, boot.readUInt32LE(44))
    : await reader.read(rootOffset, rootEntries * ENTRY_BYTES);
  return { ...layout, root };
}

/** Content of a chain of clusters up to its end, or as many as a known size takes; a loop ends at the limit. */
async function readChain(
  layout: Omit<Layout, 'root'>,
  first: number,
  sizeBytes?: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const limit = Math.ceil((sizeBytes ?? FOLDER_LIMIT_BYTES) / layout.clusterBytes);
  for (let cluster = first; parts.length < limit && cluster < layout.endMark; ) {
    const following = layout.next(cluster);
    const offset = layout.dataOffset + (cluster - 2) * layout.clusterBytes;
    parts.push(new Uint8Array(await layout.reader.read(offset, layout.clusterBytes)));
    cluster = following;
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length < (sizeBytes ?? 0)) throw invalid('a file cut short', 'all of it');
  return bytes;
}

async function walk(
  layout: Layout,
  folder: Uint8Array,
  prefix: string,
  files: Map<string, FoundFile>,
  depth: number,
): Promise<void> {
  if (depth > DEPTH_LIMIT || files.size > FILE_LIMIT) throw invalid('too many folders or files', 'an ESP');
  const view = Buffer.from(folder);
  let longName = '';
  for (let at = 0; at + ENTRY_BYTES <= view.length; at += ENTRY_BYTES) {
    const entry = view.subarray(at, at + ENTRY_BYTES);
    const first = entry.readUInt8(0);
    const attributes = entry.readUInt8(11);
    if (first === 0) return;
    if (first === 0xe5) longName = '';
    else if (attributes === ATTRIBUTE_LONG_NAME) longName = longNamePart(entry) + longName;
    else {
      const name = longName === '' ? shortName(entry) : longName;
      longName = '';
      if ((attributes & ATTRIBUTE_VOLUME) !== 0 || name === '.' || name === '..') continue;
      const cluster = (entry.readUInt16LE(20) << 16) | entry.readUInt16LE(26);
      if ((attributes & ATTRIBUTE_FOLDER) === 0) {
        files.set(prefix + name, { cluster, sizeBytes: entry.readUInt32LE(28) });
      } else {
        await walk(layout, await readChain(layout, cluster), `${prefix}${name}/`, files, depth + 1);
      }
    }
  }
}

/** Thirteen UTF-16 units in three runs; the parts of a name come last part first. */
function longNamePart(entry: Buffer): string {
  const units = [entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)];
  return Buffer.concat(units)
    .toString('utf16le')
    .replace(/\0[\s\S]*$/, '');
}

function shortName(entry: Buffer): string {
  // Windows NT keeps in this byte whether name and extension were written in lower case; Linux and mtools do too.
  const flags = entry.readUInt8(12);
  const part = (from: number, to: number, lower: number) => {
    const text = entry.toString('latin1', from, to).trimEnd();
    return flags & lower ? text.toLowerCase() : text;
  };
  const [name, extension] = [part(0, 8, 0x08), part(8, 11, 0x10)];
  return extension === '' ? name : `${name}.${extension}`;
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError(
    'release/disk-invalid',
    `Cannot read the EFI system partition: ${state}, expected ${expected}`,
  );
}
