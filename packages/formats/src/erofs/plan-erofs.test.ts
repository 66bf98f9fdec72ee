import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EROFS_BLOCK_BYTES, type ErofsInode } from './erofs-inode.ts';
import { planErofs } from './plan-erofs.ts';
import type { ErofsNode } from './read-erofs.ts';

function inode(part: Partial<ErofsInode>): ErofsInode {
  return {
    isDirectory: false,
    record: Buffer.alloc(48),
    unbrokenBytes: 48,
    tableBytes: 0,
    dataBlock: 0,
    dataBlocks: 0,
    sizeBytes: 0,
    tailOffset: undefined,
    sharedAttributes: { offset: 0, count: 0 },
    moveData: () => {},
    ...part,
  };
}

interface Shape {
  readonly recordBytes: number;
  readonly dataBlocks: number;
}

/** Folders with files; numbers of inodes as mkfs.erofs would give them do not matter here. */
function treeOf(folders: readonly (readonly Shape[])[]): ErofsNode {
  let nid = 1;
  const node = (path: string, part: Partial<ErofsInode>, children: ErofsNode[] = []): ErofsNode => ({
    nid: nid++,
    path,
    inode: inode(part),
    children,
  });
  const children = folders.map((files, folder) => {
    const inside = files.map(({ recordBytes, dataBlocks }, file) =>
      node(`/${folder}/${file}`, {
        record: Buffer.alloc(recordBytes),
        unbrokenBytes: Math.min(recordBytes, 64),
        tableBytes: recordBytes - 48,
        dataBlocks,
      }),
    );
    return node(`/${folder}`, { isDirectory: true, dataBlocks: Math.floor(files.length / 100) }, inside);
  });
  return node('', { isDirectory: true }, children);
}

const shape = fc.record({
  recordBytes: fc.oneof(fc.integer({ min: 48, max: 300 }), fc.integer({ min: 48, max: 9000 })),
  dataBlocks: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 2000 })),
});
const shapes = fc.array(fc.array(shape, { maxLength: 40 }), { minLength: 1, maxLength: 8 });

function all(node: ErofsNode): ErofsNode[] {
  return [node, ...node.children.flatMap(all)];
}

test('planErofs: nothing overlaps, inodes begin at slots, and what must stay in one block does', () => {
  fc.assert(
    fc.property(shapes, (folders) => {
      const root = treeOf(folders);
      const plan = planErofs(root);
      const used: [number, number][] = [[0, 17 * EROFS_BLOCK_BYTES]];
      for (const { nid, inode: each } of all(root)) {
        const at = plan.records.get(nid);
        assert.ok(at !== undefined && at % 32 === 0);
        assert.ok((at % EROFS_BLOCK_BYTES) + each.unbrokenBytes <= EROFS_BLOCK_BYTES);
        used.push([at, at + each.record.length]);
        if (each.dataBlocks === 0) continue;
        const block = plan.data.get(nid);
        assert.ok(block !== undefined && block + each.dataBlocks <= plan.blocks);
        used.push([block * EROFS_BLOCK_BYTES, (block + each.dataBlocks) * EROFS_BLOCK_BYTES]);
      }
      used.sort(([a], [b]) => a - b);
      used.reduce(([, end], [start, next]) => {
        assert.ok(start >= end, `${start} is inside what ends at ${end}`);
        return [start, next];
      });
    }),
  );
});

test('planErofs: the root is where its 16-bit number reaches', () => {
  const root = treeOf([[{ recordBytes: 48, dataBlocks: 1 }]]);
  assert.ok((planErofs(root).records.get(root.nid) ?? Number.NaN) / 32 <= 0xffff);
});

test('planErofs: a file that grows by a block moves only files of its group', () => {
  const files = Array.from({ length: 400 }, () => ({ recordBytes: 56, dataBlocks: 3 }));
  const grown = files.map((each, index) => (index === 200 ? { ...each, dataBlocks: 4 } : each));
  const before = planErofs(treeOf([files]));
  const after = planErofs(treeOf([grown]));
  assert.deepEqual(after.records, before.records);
  const moved = [...before.data].filter(([nid, block]) => after.data.get(nid) !== block);
  assert.ok(moved.length < 100, `${moved.length} of ${files.length} files moved`);
});
