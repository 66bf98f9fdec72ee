import {
  type ByteSource,
  checkFileSize,
  type DriveFiles,
  DriveProblem,
  FOLDER_LIMIT_BYTES,
  sameName,
} from './byte-source.ts';

// FAT12, FAT16 and FAT32 as in Microsoft's "FAT File System Specification" (fatgen103). Read here and not mounted, for
// the reason in iso9660.ts.

const SECTOR = 512;
const ENTRY = 32;
const [LABEL_FLAG, FOLDER_FLAG, LONG_NAME] = [0x08, 0x10, 0x0f];
const DELETED = 0xe5;

interface Layout {
  readonly bits: 12 | 16 | 32;
  readonly clusterBytes: number;
  readonly fatOffset: number;
  readonly dataOffset: number;
  readonly clusters: number;
  /** The root folder: a place of its own (FAT12, FAT16), or a cluster. */
  readonly root: { readonly offset: number; readonly sizeBytes: number } | { readonly cluster: number };
  readonly label: string;
}

interface Entry {
  readonly name: string;
  readonly attributes: number;
  readonly cluster: number;
  readonly sizeBytes: number;
}

/** openFat opens a volume; undefined when it is none. Throws as its source does, and DriveProblem for a damaged one. */
export async function openFat(source: ByteSource): Promise<DriveFiles | undefined> {
  const layout = layoutOf(await source.read(0, SECTOR));
  if (!layout) return undefined;
  const root = await readRoot(source, layout);
  return {
    label: root.find(({ attributes }) => attributes === LABEL_FLAG)?.name ?? layout.label,
    async readFile(path, limitBytes) {
      let folder = root;
      for (const [index, name] of path.entries()) {
        const found = folder.find(
          (each) => (each.attributes & LABEL_FLAG) === 0 && sameName(each.name, name),
        );
        if (!found) return undefined;
        const isFolder = (found.attributes & FOLDER_FLAG) !== 0;
        if (index === path.length - 1) {
          if (isFolder) return undefined;
          checkFileSize(path, found.sizeBytes, limitBytes);
          return readChain(source, layout, found.cluster, found.sizeBytes);
        }
        if (!isFolder) return undefined;
        folder = entriesOf(await readChain(source, layout, found.cluster), layout.bits);
      }
      return undefined;
    },
  };
}

function layoutOf(boot: Buffer): Layout | undefined {
  const sectorBytes = boot.readUInt16LE(11);
  const perCluster = boot.readUInt8(13);
  const reserved = boot.readUInt16LE(14);
  const fats = boot.readUInt8(16);
  const rootEntries = boot.readUInt16LE(17);
  const sectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
  const powers = [sectorBytes, perCluster].every((value) => value > 0 && (value & (value - 1)) === 0);
  if (boot.readUInt16LE(510) !== 0xaa55 || !powers || sectorBytes < SECTOR || sectorBytes > 4096)
    return undefined;
  if (reserved === 0 || fats === 0 || fats > 2 || fatSectors === 0 || sectors === 0) return undefined;
  const rootBytes = Math.ceil((rootEntries * ENTRY) / sectorBytes) * sectorBytes;
  const rootOffset = (reserved + fats * fatSectors) * sectorBytes;
  const dataOffset = rootOffset + rootBytes;
  const clusters = Math.floor((sectors - dataOffset / sectorBytes) / perCluster);
  if (clusters < 1) return undefined;
  const bits = clusters < 4085 ? 12 : clusters < 65_525 ? 16 : 32;
  if ((bits === 32) !== (rootEntries === 0)) return undefined;
  const labelAt = bits === 32 ? 71 : 43;
  return {
    ...{ bits, clusters, dataOffset },
    clusterBytes: perCluster * sectorBytes,
    fatOffset: reserved * sectorBytes,
    root: bits === 32 ? { cluster: boot.readUInt32LE(44) } : { offset: rootOffset, sizeBytes: rootBytes },
    label: boot.toString('latin1', labelAt, labelAt + 11).trim(),
  };
}

async function readRoot(source: ByteSource, layout: Layout): Promise<Entry[]> {
  const { root } = layout;
  if ('cluster' in root) return entriesOf(await readChain(source, layout, root.cluster), layout.bits);
  if (root.sizeBytes > FOLDER_LIMIT_BYTES) throw new DriveProblem('its root folder is too large');
  return entriesOf(await source.read(root.offset, root.sizeBytes), layout.bits);
}

/** The bytes of a chain of clusters. @param sizeBytes of a file; absent: a folder, to the end of its chain */
async function readChain(
  source: ByteSource,
  layout: Layout,
  first: number,
  sizeBytes?: number,
): Promise<Buffer> {
  const wanted = sizeBytes ?? FOLDER_LIMIT_BYTES;
  const pieces: Buffer[] = [];
  let [read, cluster] = [0, first];
  while (read < wanted) {
    if (cluster < 2 || cluster >= layout.clusters + 2)
      throw new DriveProblem('it leads to a place outside of it');
    const length = Math.min(layout.clusterBytes, wanted - read);
    pieces.push(await source.read(layout.dataOffset + (cluster - 2) * layout.clusterBytes, length));
    read += length;
    const next = await nextOf(source, layout, cluster);
    if (next === undefined) {
      if (sizeBytes !== undefined && read < sizeBytes) throw new DriveProblem('a file of it is cut off');
      break;
    }
    cluster = next;
  }
  return Buffer.concat(pieces);
}

/** The cluster after another; undefined after the last. */
async function nextOf(
  source: ByteSource,
  { bits, fatOffset }: Layout,
  cluster: number,
): Promise<number | undefined> {
  const at = fatOffset + Math.floor((cluster * bits) / 8);
  const raw = await source.read(at, bits === 32 ? 4 : 2);
  if (bits === 32) {
    const next = raw.readUInt32LE(0) & 0x0fffffff;
    return next >= 0x0ffffff8 ? undefined : next;
  }
  const word = raw.readUInt16LE(0);
  const next = bits === 16 ? word : cluster % 2 === 0 ? word & 0xfff : word >> 4;
  return next >= (bits === 16 ? 0xfff8 : 0xff8) ? undefined : next;
}

/** The entries of a folder; the pieces of a long name stand before its entry, last piece first. */
function entriesOf(folder: Buffer, bits: Layout['bits']): Entry[] {
  const entries: Entry[] = [];
  let long = '';
  for (let at = 0; at + ENTRY <= folder.length; at += ENTRY) {
    const entry = folder.subarray(at, at + ENTRY);
    const lead = entry.readUInt8(0);
    if (lead === 0) break;
    const attributes = entry.readUInt8(11);
    if (lead === DELETED) {
      long = '';
    } else if (attributes === LONG_NAME) {
      // The piece that comes first is the last one, and is marked.
      long = longPiece(entry) + ((lead & 0x40) !== 0 ? '' : long);
    } else {
      entries.push({
        name: long === '' ? shortName(entry, attributes) : (long.split('\0')[0] ?? ''),
        attributes,
        // Before FAT32 the upper half meant something else.
        cluster: (bits === 32 ? entry.readUInt16LE(20) * 65_536 : 0) + entry.readUInt16LE(26),
        sizeBytes: entry.readUInt32LE(28),
      });
      long = '';
    }
  }
  return entries;
}

function longPiece(entry: Buffer): string {
  return [
    [1, 11],
    [14, 26],
    [28, 32],
  ]
    .map(([from, to]) => entry.toString('utf16le', from, to))
    .join('');
}

function shortName(entry: Buffer, attributes: number): string {
  const text = (from: number, to: number) => entry.toString('latin1', from, to).trimEnd();
  if ((attributes & LABEL_FLAG) !== 0) return text(0, 11);
  const extension = text(8, 11);
  return extension === '' ? text(0, 8) : `${text(0, 8)}.${extension}`;
}
