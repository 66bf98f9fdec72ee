import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { VERITY_BLOCK_BYTES as BLOCK } from '@plinth/formats';
import fc from 'fast-check';
import {
  openBlockPacker,
  PACK_PAGE_BLOCKS,
  PACK_PAGE_BYTES,
  packPageOffset,
  readPackPage,
} from './block-pack.ts';

/** Blocks of all kinds: zeros, half zeros, and such that do not compress. */
function sampleRoot(blocks: number, seed = 1): Buffer {
  const root = Buffer.alloc(blocks * BLOCK);
  let state = seed;
  for (let block = 0; block < blocks; block++) {
    const filled = [0, BLOCK / 2, BLOCK][block % 3] ?? 0;
    for (let at = 0; at < filled; at++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      root[block * BLOCK + at] = state >>> 16;
    }
  }
  return root;
}

function pack(root: Buffer): Buffer {
  const packer = openBlockPacker();
  const frames: Buffer[] = [];
  for (let at = 0; at < root.length; at += BLOCK) frames.push(packer.add(root.subarray(at, at + BLOCK)));
  return Buffer.concat([...frames, packer.end()]);
}

test('each block is found by its page, and all of it decompresses to the root', () => {
  for (const blocks of [1, PACK_PAGE_BLOCKS, PACK_PAGE_BLOCKS + 1, 700]) {
    const root = sampleRoot(blocks);
    const packed = pack(root);
    for (let page = 0; page * PACK_PAGE_BLOCKS < blocks; page++) {
      const at = packPageOffset(packed.length, blocks, page);
      const found = readPackPage(packed.subarray(at, at + PACK_PAGE_BYTES), packed.length, blocks, page);
      assert.ok(found, `page ${page} of ${blocks}`);
      for (let place = 0; place < found.offsets.length - 1; place++) {
        const start = found.offsets[place];
        const block: number = found.first + place;
        const frame = packed.subarray(start, found.offsets[place + 1]);
        assert.ok(zstdDecompressSync(frame).equals(root.subarray(block * BLOCK, (block + 1) * BLOCK)));
      }
    }
    // Decoders of files pass over the index; the one here takes frames only.
    const frames = packed.subarray(0, packPageOffset(packed.length, blocks, 0) - 8);
    assert.ok(zstdDecompressSync(frames).equals(root));
    assert.ok(pack(root).equals(packed), 'the same bytes again');
  }
});

test('a page of anything else is none, or tells of places in the file', () => {
  const bytes = fc.uint8Array({ minLength: PACK_PAGE_BYTES, maxLength: PACK_PAGE_BYTES });
  const small = fc.array(fc.integer({ min: 0, max: 5000 }), {
    minLength: PACK_PAGE_BLOCKS,
    maxLength: PACK_PAGE_BLOCKS,
  });
  const likely = fc.tuple(fc.bigInt({ min: 0n, max: 3_000_000n }), small).map(([start, lengths]) => {
    const page = Buffer.alloc(PACK_PAGE_BYTES);
    page.writeBigUInt64LE(start);
    for (const [place, length] of lengths.entries()) page.writeUInt16LE(length, 8 + place * 2);
    return page;
  });
  fc.assert(
    fc.property(fc.oneof(bytes, likely), fc.integer({ min: -1, max: 12 }), (page, number) => {
      const [packBytes, blocks] = [2_500_000, 700];
      const found = readPackPage(Buffer.from(page), packBytes, blocks, number);
      if (!found) return;
      assert.ok(
        found.offsets.every((at, place) => at >= 0 && (place === 0 || at > (found.offsets[place - 1] ?? 0))),
      );
      assert.ok((found.offsets.at(-1) ?? 0) <= packPageOffset(packBytes, blocks, 0) - 8);
    }),
    { numRuns: 300 },
  );
});
