import { crc32 } from 'node:zlib';
import { EROFS_BLOCK_BYTES, INODE_SLOT_BYTES, invalid } from './erofs-inode.ts';
import { ATTRIBUTE_TABLE, type ErofsPlan, planErofs } from './plan-erofs.ts';
import { type ErofsNode, folderData, readErofs, readFolder, SUPERBLOCK } from './read-erofs.ts';

/** Grows with each change of this folder that gives other bytes: part of the key of what is built with it. */
export const EROFS_LAYOUT = 1;

/**
 * layOutErofs moves what is in an EROFS image to places that depend on names more than on sizes: an update of a few files
 * changes their blocks and hardly any other, in content and in place. Nothing is compressed again; the files stay as
 * they are. See docs/adr/0031.
 * @param image as mkfs.erofs writes it, compressed, without data of files beside inodes (-Enoinline_data)
 * @throws formats/erofs-invalid
 */
export function layOutErofs(image: Buffer): Buffer {
  const root = readErofs(image);
  const plan = planErofs(root);
  const output = Buffer.alloc(plan.blocks * EROFS_BLOCK_BYTES);
  // The settings of compressors follow the superblock; inodes of the old layout may follow those.
  image.copy(output, 0, 0, firstUse(image, root));
  const attributes = placeAttributes(image, root, output);
  for (const node of nodes(root)) writeNode(image, output, node, plan, attributes);
  const rootOffset = plan.records.get(root.nid) ?? 0;
  output.writeUInt16LE(rootOffset / INODE_SLOT_BYTES, SUPERBLOCK.rootNid);
  output.writeUInt32LE(ATTRIBUTE_TABLE.block, SUPERBLOCK.attributeBlock);
  output.writeUInt32LE(plan.blocks, SUPERBLOCK.blocks);
  output.writeUInt32LE(0, SUPERBLOCK.checksum);
  output.writeUInt32LE(crc32c(output.subarray(SUPERBLOCK.start, EROFS_BLOCK_BYTES)), SUPERBLOCK.checksum);
  return output;
}

function writeNode(
  image: Buffer,
  output: Buffer,
  { nid, path, inode }: ErofsNode,
  plan: ErofsPlan,
  attributes: ReadonlyMap<number, number>,
): void {
  const record = Buffer.from(inode.record);
  const block = plan.data.get(nid) ?? 0;
  inode.moveData(record, block - inode.dataBlock);
  // The number for people; mkfs.erofs counts, and each new file would change all that follow.
  record.writeUInt32LE(crc32(path), 20);
  const { offset, count } = inode.sharedAttributes;
  for (let at = offset; at < offset + 4 * count; at += 4) {
    record.writeUInt32LE(attributes.get(record.readUInt32LE(at)) ?? 0, at);
  }
  const start = inode.dataBlock * EROFS_BLOCK_BYTES;
  let data = image.subarray(start, start + inode.dataBlocks * EROFS_BLOCK_BYTES);
  if (inode.isDirectory) {
    const entries = renumbered(folderData(image, inode), plan);
    data = entries.subarray(0, data.length);
    if (inode.tailOffset !== undefined) entries.copy(record, inode.tailOffset, data.length);
  }
  data.copy(output, block * EROFS_BLOCK_BYTES);
  record.copy(output, plan.records.get(nid) ?? 0);
}

/** The entries of a folder with the new numbers of inodes. */
function renumbered(entries: Buffer, plan: ErofsPlan): Buffer {
  for (const { offset, nid, name } of readFolder(entries)) {
    const record = plan.records.get(nid);
    if (record === undefined) throw invalid(`the inode of ${name} was not found`);
    entries.writeBigUInt64LE(BigInt(record / INODE_SLOT_BYTES), offset);
  }
  return entries;
}

/** Writes the shared attributes to their table. @returns their new numbers by the old ones */
function placeAttributes(image: Buffer, root: ErofsNode, output: Buffer): Map<number, number> {
  const from = image.readUInt32LE(SUPERBLOCK.attributeBlock) * EROFS_BLOCK_BYTES;
  const found = new Map<number, Buffer>();
  for (const { inode } of nodes(root)) {
    const { offset, count } = inode.sharedAttributes;
    for (let index = 0; index < count; index++) {
      const id = inode.record.readUInt32LE(offset + 4 * index);
      const at = from + 4 * id;
      if (at + 4 > image.length) throw invalid('an attribute is past the end');
      const bytes = 4 + image.readUInt8(at) + image.readUInt16LE(at + 2);
      if (bytes > ATTRIBUTE_TABLE.slotBytes) throw invalid(`an attribute has ${bytes} bytes`);
      found.set(id, image.subarray(at, at + bytes));
    }
  }
  const slots = (ATTRIBUTE_TABLE.blocks * EROFS_BLOCK_BYTES) / ATTRIBUTE_TABLE.slotBytes;
  if (found.size > slots / 2) throw invalid(`it has ${found.size} different attributes`);
  const taken = new Set<number>();
  const numbers = new Map<number, number>();
  for (const [id, entry] of [...found].sort(([, a], [, b]) => Buffer.compare(a, b))) {
    let slot = crc32(entry) % slots;
    while (taken.has(slot)) slot = (slot + 1) % slots;
    taken.add(slot);
    entry.copy(output, ATTRIBUTE_TABLE.block * EROFS_BLOCK_BYTES + slot * ATTRIBUTE_TABLE.slotBytes);
    numbers.set(id, (slot * ATTRIBUTE_TABLE.slotBytes) / 4);
  }
  return numbers;
}

/** Up to where the first block holds the superblock and what belongs to it. */
function firstUse(image: Buffer, root: ErofsNode): number {
  let first = EROFS_BLOCK_BYTES;
  const attributes = image.readUInt32LE(SUPERBLOCK.attributeBlock) * EROFS_BLOCK_BYTES;
  for (const { nid, inode } of nodes(root)) {
    first = Math.min(first, nid * INODE_SLOT_BYTES);
    const { offset, count } = inode.sharedAttributes;
    for (let index = 0; index < count; index++) {
      first = Math.min(first, attributes + 4 * inode.record.readUInt32LE(offset + 4 * index));
    }
  }
  return first;
}

function* nodes(node: ErofsNode): Generator<ErofsNode> {
  yield node;
  for (const child of node.children) yield* nodes(child);
}

/** CRC-32C as the kernel leaves it: not inverted at the end. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0x82f6_3b78);
  }
  return crc >>> 0;
}
