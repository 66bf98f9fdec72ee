import { EROFS_BLOCK_BYTES, type ErofsInode, invalid, readErofsInode } from './erofs-inode.ts';

const SUPERBLOCK_OFFSET = 1024;
const MAGIC = 0xe0f5e1e2;
const MAX_DEPTH = 64;
/** Zero padding, settings of compressors and large physical clusters: what the image is made with. */
const KNOWN_INCOMPATIBLE = 0x0000_0003;

/** Fields of the superblock (erofs_fs.h), from the start of the image. */
export const SUPERBLOCK = {
  checksum: SUPERBLOCK_OFFSET + 4,
  blockBits: SUPERBLOCK_OFFSET + 12,
  rootNid: SUPERBLOCK_OFFSET + 14,
  blocks: SUPERBLOCK_OFFSET + 36,
  metaBlock: SUPERBLOCK_OFFSET + 40,
  attributeBlock: SUPERBLOCK_OFFSET + 44,
  incompatible: SUPERBLOCK_OFFSET + 80,
  devices: SUPERBLOCK_OFFSET + 86,
  prefixes: SUPERBLOCK_OFFSET + 91,
  packedNid: SUPERBLOCK_OFFSET + 96,
  /** Behind it are the settings of compressors, to the end of what is kept. */
  start: SUPERBLOCK_OFFSET,
} as const;

/** An inode with the first of its paths; a folder with what is in it. */
export interface ErofsNode {
  readonly nid: number;
  readonly path: string;
  readonly inode: ErofsInode;
  /** Of a folder: those whose first path is in it, in the order of their names, folders too. */
  readonly children: readonly ErofsNode[];
}

/** One entry of a folder: where it lies in the folder's data. */
export interface ErofsEntry {
  readonly offset: number;
  readonly nid: number;
  readonly name: string;
}

/** readErofs reads all inodes of an image, as a tree. @throws formats/erofs-invalid */
export function readErofs(image: Buffer): ErofsNode {
  if (image.length < EROFS_BLOCK_BYTES || image.readUInt32LE(SUPERBLOCK.start) !== MAGIC) {
    throw invalid('it is no EROFS');
  }
  const odd =
    image.readUInt8(SUPERBLOCK.blockBits) !== 12 ||
    image.readUInt32LE(SUPERBLOCK.metaBlock) !== 0 ||
    image.readUInt16LE(SUPERBLOCK.devices) !== 0 ||
    image.readUInt8(SUPERBLOCK.prefixes) !== 0 ||
    image.readBigUInt64LE(SUPERBLOCK.packedNid) !== 0n ||
    (image.readUInt32LE(SUPERBLOCK.incompatible) & ~KNOWN_INCOMPATIBLE) !== 0;
  if (odd) throw invalid('it has features that are not known here');
  const seen = new Set<number>();
  const visit = (nid: number, path: string, depth: number): ErofsNode => {
    if (depth > MAX_DEPTH) throw invalid('its folders are nested too deep');
    seen.add(nid);
    const inode = readErofsInode(image, nid);
    const children: ErofsNode[] = [];
    if (inode.isDirectory) {
      for (const entry of readFolder(folderData(image, inode))) {
        if (entry.name === '.' || entry.name === '..' || seen.has(entry.nid)) continue;
        children.push(visit(entry.nid, `${path}/${entry.name}`, depth + 1));
      }
    }
    return { nid, path, inode, children };
  };
  return visit(image.readUInt16LE(SUPERBLOCK.rootNid), '', 0);
}

/** folderData copies the entries of a folder together, the ones beside the inode last. */
export function folderData(image: Buffer, inode: ErofsInode): Buffer {
  const start = inode.dataBlock * EROFS_BLOCK_BYTES;
  const blocks = image.subarray(start, start + inode.dataBlocks * EROFS_BLOCK_BYTES);
  const tail = inode.tailOffset === undefined ? Buffer.alloc(0) : inode.record.subarray(inode.tailOffset);
  return Buffer.concat([blocks, tail]).subarray(0, inode.sizeBytes);
}

/** readFolder gives the entries in a folder's data: each block has a table of its own, and the names behind it. */
export function* readFolder(data: Buffer): Generator<ErofsEntry> {
  for (let start = 0; start < data.length; start += EROFS_BLOCK_BYTES) {
    const block = data.subarray(start, start + EROFS_BLOCK_BYTES);
    const count = block.length < 12 ? 0 : Math.floor(block.readUInt16LE(8) / 12);
    if (count === 0 || count * 12 > block.length) throw invalid('a folder has no table of names');
    for (let index = 0; index < count; index++) {
      const nameStart = block.readUInt16LE(index * 12 + 8);
      const nameEnd = index + 1 < count ? block.readUInt16LE(index * 12 + 20) : block.length;
      const name = block.toString('utf8', nameStart, nameEnd).replace(/\0.*$/s, '');
      yield { offset: start + index * 12, nid: Number(block.readBigUInt64LE(index * 12)), name };
    }
  }
}
