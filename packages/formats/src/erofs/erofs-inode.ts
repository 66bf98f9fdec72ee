import { PlinthError } from '@plinth/base';

/**
 * The part of EROFS that mkfs.erofs writes for Plinth: blocks of 4096 bytes, compressed or plain files, no fragments, no
 * deduplication, no further devices. Source: the kernel's fs/erofs/erofs_fs.h.
 */
export const EROFS_BLOCK_BYTES = 4096;
/** Inodes are numbered by where they lie, in units of this. */
export const INODE_SLOT_BYTES = 32;

const LAYOUT = { plain: 0, compressedFull: 1, inline: 2, compressedCompact: 3 } as const;
const FILE_TYPE = { mask: 0xf000, directory: 0x4000, regular: 0x8000, symlink: 0xa000 } as const;
/** Neither blocks of compressed data inside the metadata, nor interlaced ones, nor fragments (z_advise). */
const KNOWN_ADVICE = 0x0007;
const COMPACTED_2B = 0x0001;
const BIG_PCLUSTER_1 = 0x0002;

/** One inode as it lies in an image: the record that only moves, and the blocks of data it points to. */
export interface ErofsInode {
  readonly isDirectory: boolean;
  /** Inode, attributes, table of compressed clusters, and the end of the data when that lies here too. */
  readonly record: Buffer;
  /** What must not cross a block: the kernel maps the end of the data, and the attributes, with one block. */
  readonly unbrokenBytes: number;
  /** Bytes of the table of compressed clusters; 0 without. */
  readonly tableBytes: number;
  /** First block of the data and how many follow on each other; 0 blocks when there is none. */
  readonly dataBlock: number;
  readonly dataBlocks: number;
  readonly sizeBytes: number;
  /** Where the end of the data lies in the record; undefined when it does not. */
  readonly tailOffset: number | undefined;
  /** Where the record refers to shared attributes. */
  readonly sharedAttributes: { readonly offset: number; readonly count: number };
  /** Gives the record's data another place. */
  moveData(record: Buffer, deltaBlocks: number): void;
}

/** readErofsInode reads the inode with that number. @throws formats/erofs-invalid */
export function readErofsInode(image: Buffer, nid: number): ErofsInode {
  const start = nid * INODE_SLOT_BYTES;
  if (start + 64 > image.length) throw invalid(`inode ${nid} is past the end`);
  const format = image.readUInt16LE(start);
  const inodeBytes = (format & 1) === 0 ? 32 : 64;
  const layout = (format >> 1) & 7;
  const mode = image.readUInt16LE(start + 4) & FILE_TYPE.mask;
  const attributeCount = image.readUInt16LE(start + 2);
  const attributeBytes = attributeCount === 0 ? 0 : 12 + 4 * (attributeCount - 1);
  const headBytes = inodeBytes + attributeBytes;
  const sizeBytes =
    inodeBytes === 32 ? image.readUInt32LE(start + 8) : Number(image.readBigUInt64LE(start + 8));
  const place = image.readUInt32LE(start + 16);
  const record = (bytes: number) => {
    if (start + bytes > image.length) throw invalid(`inode ${nid} ends past the end`);
    return image.subarray(start, start + bytes);
  };
  const hasData = mode === FILE_TYPE.directory || mode === FILE_TYPE.regular || mode === FILE_TYPE.symlink;
  const common = {
    isDirectory: mode === FILE_TYPE.directory,
    sizeBytes,
    tableBytes: 0,
    unbrokenBytes: headBytes,
    tailOffset: undefined,
    sharedAttributes: {
      offset: inodeBytes + 12,
      count: attributeCount === 0 ? 0 : image.readUInt8(start + inodeBytes + 4),
    },
    moveData: (to: Buffer, delta: number) => void to.writeUInt32LE(to.readUInt32LE(16) + delta, 16),
  };
  if (!hasData || sizeBytes === 0) {
    return { ...common, record: record(headBytes), dataBlock: 0, dataBlocks: 0, moveData: () => {} };
  }
  if (layout === LAYOUT.plain) {
    const dataBlocks = Math.ceil(sizeBytes / EROFS_BLOCK_BYTES);
    return { ...common, record: record(headBytes), dataBlock: place, dataBlocks };
  }
  if (layout === LAYOUT.inline) {
    const dataBlocks = Math.floor(sizeBytes / EROFS_BLOCK_BYTES);
    const bytes = headBytes + (sizeBytes % EROFS_BLOCK_BYTES);
    const moved = dataBlocks === 0 ? { moveData: () => {} } : {};
    return {
      ...common,
      ...moved,
      record: record(bytes),
      unbrokenBytes: bytes,
      tailOffset: headBytes,
      dataBlock: place,
      dataBlocks,
    };
  }
  if (layout !== LAYOUT.compressedCompact) throw invalid(`inode ${nid} has data in layout ${layout}`);
  return { ...common, ...compressed(image, start, headBytes, sizeBytes), dataBlocks: place };
}

type Compressed = Pick<ErofsInode, 'record' | 'tableBytes' | 'dataBlock' | 'moveData'>;

/** A compressed file has a table that gives each 4096 bytes their cluster; packs of entries share a block number. */
function compressed(image: Buffer, start: number, headBytes: number, sizeBytes: number): Compressed {
  const header = (headBytes + 7) & ~7;
  const advice = image.readUInt16LE(start + header + 4);
  const clusterBits = image.readUInt8(start + header + 7);
  if ((advice & ~KNOWN_ADVICE) !== 0 || (advice & BIG_PCLUSTER_1) === 0 || clusterBits !== 0) {
    throw invalid(`a compressed file has the features ${advice.toString(16)}, ${clusterBits}`);
  }
  const table = header + 8;
  const packs = [...packsOf(table, Math.ceil(sizeBytes / EROFS_BLOCK_BYTES), (advice & COMPACTED_2B) !== 0)];
  const last = packs.at(-1) ?? table;
  return {
    record: image.subarray(start, start + last + 4),
    tableBytes: last + 4 - table,
    dataBlock: image.readUInt32LE(start + (packs[0] ?? table)),
    moveData: (record, delta) => {
      for (const at of packs) record.writeUInt32LE(record.readUInt32LE(at) + delta, at);
    },
  };
}

/** Where the block numbers of the packs are: pairs of 8 bytes up to a boundary of 32, sixteens of 32, pairs again. */
function* packsOf(table: number, entries: number, hasSixteens: boolean): Generator<number> {
  const first = ((INODE_SLOT_BYTES - (table % INODE_SLOT_BYTES)) / 4) % 8;
  const sixteens = hasSixteens && first < entries ? Math.floor((entries - first) / 16) : 0;
  let at = table;
  for (let entry = 0; entry < entries; ) {
    const isSixteen = entry >= first && entry < first + 16 * sixteens;
    at += isSixteen ? 32 : 8;
    entry += isSixteen ? 16 : 2;
    yield at - 4;
  }
}

/** What the reader says of images that it does not know whole. */
export function invalid(state: string): PlinthError {
  return new PlinthError(
    'formats/erofs-invalid',
    `Cannot lay out the file system: ${state}, expected what mkfs.erofs writes for the image`,
  );
}
