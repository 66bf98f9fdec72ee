import { crc32 } from 'node:zlib';
import { EROFS_BLOCK_BYTES, INODE_SLOT_BYTES } from './erofs-inode.ts';
import type { ErofsNode } from './read-erofs.ts';

/** Shared attributes have their place by what they say: one more label moves no other. */
export const ATTRIBUTE_TABLE = { block: 1, blocks: 16, slotBytes: 128 } as const;
const META_BLOCK = ATTRIBUTE_TABLE.block + ATTRIBUTE_TABLE.blocks;
/** A folder's blocks have a quarter more than its inodes need. */
const FOLDER_GROWTH = 1.25;
/** Longer records, of files with large tables, lie behind the others at multiples of this: those may grow a little. */
const LONG_RECORD_BYTES = 1024;
/** Data begins at a multiple of this, behind an eighth of room for more folders. */
const META_QUANTUM_BLOCKS = 256;
/**
 * Groups of files begin where the hash of a path says so, about every so many files, and at a multiple of so many blocks. A file that
 * outgrows the room of its small group moves the next ones up to a large group, which takes eight such moves.
 */
const GROUPS = [
  { files: 128, quantumBlocks: 128 },
  { files: 32, quantumBlocks: 16 },
] as const;
/** From this size on a file is a group by itself and lies behind the small ones: the few of them change with each release. */
const LARGE_BLOCKS = 256;

/** Where everything lies in a laid out image. */
export interface ErofsPlan {
  /** Byte offset of each inode's record, by its number in the image it comes from. */
  readonly records: ReadonlyMap<number, number>;
  /** First block of each inode's data, by the same number. */
  readonly data: ReadonlyMap<number, number>;
  readonly blocks: number;
}

/**
 * planErofs decides where inodes and data lie, so that a change stays where it is: inodes by folder, each folder in blocks
 * of its own with room to grow; data in the order of paths, in groups with room to grow, large files last. Pure.
 */
export function planErofs(root: ErofsNode): ErofsPlan {
  const records = new Map<number, number>();
  const data = new Map<number, number>();
  let block = META_BLOCK;
  for (const folder of folders(root)) {
    data.set(folder.nid, block);
    block += folder.inode.dataBlocks;
    const start = block * EROFS_BLOCK_BYTES;
    let end = start;
    const own = folder.children.filter(({ inode }) => !inode.isDirectory);
    for (const node of [folder, ...own.filter((each) => !isLong(each)), ...own.filter(isLong)]) {
      const offset = placeRecord(end, node);
      records.set(node.nid, offset);
      end = offset + reservedBytes(node);
    }
    block += Math.ceil(((end - start) * FOLDER_GROWTH) / EROFS_BLOCK_BYTES);
  }
  block = roundUp(block + (block >> 3), META_QUANTUM_BLOCKS);
  const all = [...files(root)].filter(({ inode }) => inode.dataBlocks > 0);
  const isLarge = ({ inode }: ErofsNode) => inode.dataBlocks >= LARGE_BLOCKS;
  for (const node of [...all.filter((each) => !isLarge(each)), ...all.filter(isLarge)]) {
    const { nid, path, inode } = node;
    const group = isLarge(node) ? GROUPS[0] : GROUPS.find(({ files: every }) => crc32(path) % every === 0);
    block = roundUp(block, group?.quantumBlocks ?? 1);
    data.set(nid, block);
    block += inode.dataBlocks;
  }
  return { records, data, blocks: block };
}

/** A record begins at a slot; what must not cross a block goes to the next one where it would. */
function placeRecord(from: number, node: ErofsNode): number {
  const start = isLong(node) ? roundUp(from, LONG_RECORD_BYTES) : from;
  const left = EROFS_BLOCK_BYTES - (start % EROFS_BLOCK_BYTES);
  return node.inode.unbrokenBytes > left ? start + left : start;
}

function isLong({ inode }: ErofsNode): boolean {
  return inode.record.length >= LONG_RECORD_BYTES;
}

/** A table of clusters, or of names, may grow a little without moving the inodes behind it. */
function reservedBytes({ inode }: ErofsNode): number {
  const growth = inode.isDirectory ? 64 : inode.tableBytes === 0 ? 0 : Math.max(8, inode.tableBytes >> 3);
  return roundUp(inode.record.length + growth, INODE_SLOT_BYTES);
}

function* folders(node: ErofsNode): Generator<ErofsNode> {
  if (!node.inode.isDirectory) return;
  yield node;
  for (const child of node.children) yield* folders(child);
}

function* files(node: ErofsNode): Generator<ErofsNode> {
  if (!node.inode.isDirectory) yield node;
  for (const child of node.children) yield* files(child);
}

function roundUp(value: number, quantum: number): number {
  return Math.ceil(value / quantum) * quantum;
}
