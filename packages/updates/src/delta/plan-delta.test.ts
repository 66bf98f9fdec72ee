import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  makeVerity,
  memoryReader,
  readTree,
  VERITY_BLOCK_BYTES,
  type VerityTree,
  verifyTree,
} from '@plinth/formats';
import fc from 'fast-check';
import type { SlotName } from '../slots/slot-disk.ts';
import { type DeltaPlan, planDelta } from './plan-delta.ts';

const uuid = '6c1ba2e2-6f7e-4c7d-9d3a-0b6a9fd0a001';
const SALT = new Uint8Array(32).fill(7);

/** A root whose blocks are named by numbers; 0 is a block of zeros. */
function image(blocks: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(blocks.length * VERITY_BLOCK_BYTES);
  for (const [index, value] of blocks.entries()) {
    bytes.fill(value, index * VERITY_BLOCK_BYTES, (index + 1) * VERITY_BLOCK_BYTES);
  }
  return bytes;
}

async function treeOf(bytes: Uint8Array, salt = SALT): Promise<VerityTree> {
  const device = await makeVerity(memoryReader(bytes), { salt, uuid });
  const verdict = verifyTree(device.bytes, device.rootHash);
  assert.ok(verdict.verdict === 'pass');
  const guess = readTree(device.bytes);
  if (guess) assert.ok(Buffer.compare(guess.leaves, verdict.leaves) === 0);
  return { header: verdict.header, leaves: verdict.leaves };
}

/**
 * Carries a plan out on the bytes of the slots, as it says: in order of place. Reads come from the slots as they are at that moment.
 */
function carryOut(
  plan: DeltaPlan,
  slots: Readonly<Record<SlotName, Uint8Array>>,
  target: SlotName,
  served: Uint8Array,
  copiesFirst: boolean,
): Uint8Array {
  const blockAt = (bytes: Uint8Array, block: number) =>
    bytes.slice(block * VERITY_BLOCK_BYTES, (block + 1) * VERITY_BLOCK_BYTES);
  const jobs: { readonly to: number; readonly fetch: boolean; readonly read: () => Uint8Array }[] = [];
  for (const { from, fromBlock, toBlock, count } of plan.copy) {
    for (let index = 0; index < count; index++) {
      jobs.push({ to: toBlock + index, fetch: false, read: () => blockAt(slots[from], fromBlock + index) });
    }
  }
  for (const { offset, length } of plan.fetch) {
    for (let at = offset; at < offset + length; at += VERITY_BLOCK_BYTES) {
      const block = at / VERITY_BLOCK_BYTES;
      jobs.push({ to: block, fetch: true, read: () => blockAt(served, block) });
    }
  }
  jobs.sort(
    (left, right) => (copiesFirst ? Number(left.fetch) - Number(right.fetch) : 0) || left.to - right.to,
  );
  for (const { to, read } of jobs) slots[target].set(read(), to * VERITY_BLOCK_BYTES);
  assert.equal(new Set(jobs.map(({ to }) => to)).size, jobs.length, 'a block is written twice');
  return slots[target].subarray(0, served.length);
}

function bytesOf(ranges: DeltaPlan['fetch']): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}

// Few values: many equal blocks, also of zeros; runs: what an image that moved by some blocks looks like.
const blocks = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 6 }).map((value) => [value]),
      fc
        .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 20 }))
        .map(([first, count]) => Array.from({ length: count }, (_, index) => (first + index) % 256)),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((runs) => runs.flat());

test('old slots and served bytes give exactly the new root, and no more is fetched than is missing and lies between', async () => {
  const input = fc.record({
    next: blocks,
    booted: fc.option(blocks, { nil: undefined }),
    target: fc.option(blocks, { nil: undefined }),
    present: fc.array(fc.nat(300), { maxLength: 30 }),
    requestCostBytes: fc.constantFrom(0, 4096, 16_384, 65_536),
    copiesFirst: fc.boolean(),
  });
  let partly = 0;
  await fc.assert(
    fc.asyncProperty(input, async ({ next, booted, target, present, requestCostBytes, copiesFirst }) => {
      const [served, a] = [image(next), image(booted ?? [1])];
      const newTree = await treeOf(served);
      // A run that was cut left these blocks in the target.
      const places = present.filter((place) => place < next.length);
      const b = new Uint8Array(Math.max(served.length, (target?.length ?? 0) * VERITY_BLOCK_BYTES));
      b.set(image(target ?? []));
      const done = new Uint8Array(next.length);
      for (const place of places) {
        const at = place * VERITY_BLOCK_BYTES;
        b.set(served.subarray(at, at + VERITY_BLOCK_BYTES), at);
        done[place] = 1;
      }
      const slots = [
        ...(booted ? [{ slot: 'a' as const, tree: await treeOf(a) }] : []),
        ...(target ? [{ slot: 'b' as const, tree: await treeOf(image(target)) }] : []),
      ];
      const plan = planDelta({ newTree, slots, target: 'b', present: done, requestCostBytes });
      const result = carryOut(plan, { a, b }, 'b', served, copiesFirst);
      assert.ok(Buffer.compare(result, served) === 0, 'another root came out');

      const copied = plan.copy.reduce((sum, { count }) => sum + count, 0);
      const fetched = bytesOf(plan.fetch) / VERITY_BLOCK_BYTES;
      if (fetched === next.length) return;
      if (copied > 0 && fetched > 0) partly++;
      // Missing: in neither slot at a place that is still there when its turn comes.
      const gap = requestCostBytes / VERITY_BLOCK_BYTES;
      const isHad = (value: number, place: number) =>
        done[place] === 1 ||
        booted?.includes(value) === true ||
        (target?.some((old, from) => old === value && from >= place && done[from] !== 1) ?? false);
      const missing = next.filter((value, place) => !isHad(value, place)).length;
      assert.ok(
        fetched <= missing + gap * Math.max(0, missing - 1),
        `${fetched} fetched, ${missing} missing`,
      );
      assert.ok(fetched >= missing);
      if (gap === 0) assert.equal(fetched, missing);
      for (const [index, range] of plan.fetch.entries()) {
        const before = plan.fetch[index - 1];
        const between = before
          ? (range.offset - before.offset - before.length) / VERITY_BLOCK_BYTES
          : Infinity;
        assert.ok(between > gap, 'two requests cost more than one');
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(partly > 50, `only ${partly} plans had both`);
});

test('a library that grew: what lies behind it moved, and is copied as one run', async () => {
  const old = Array.from({ length: 200 }, (_, index) => index + 1);
  const next = [...old.slice(0, 50), 250, 251, 252, ...old.slice(50)];
  const plan = planDelta({
    newTree: await treeOf(image(next)),
    slots: [{ slot: 'a', tree: await treeOf(image(old)) }],
    target: 'b',
  });
  assert.deepEqual(plan, {
    copy: [
      { from: 'a', fromBlock: 0, toBlock: 0, count: 50 },
      { from: 'a', fromBlock: 50, toBlock: 53, count: 150 },
    ],
    fetch: [{ offset: 50 * VERITY_BLOCK_BYTES, length: 3 * VERITY_BLOCK_BYTES }],
  });
});

test('what is in place stays there, and the target serves only from behind', async () => {
  const next = [1, 2, 3, 4, 5, 6];
  const plan = planDelta({
    newTree: await treeOf(image(next)),
    // 1 and 2 are in place; 5 lies behind its place, 4 before it.
    slots: [{ slot: 'b', tree: await treeOf(image([1, 2, 4, 9, 9, 5])) }],
    target: 'b',
    requestCostBytes: 0,
  });
  assert.deepEqual(plan.copy, [
    { from: 'b', fromBlock: 0, toBlock: 0, count: 2 },
    { from: 'b', fromBlock: 5, toBlock: 4, count: 1 },
  ]);
  assert.deepEqual(
    plan.fetch.map(({ offset, length }) => [offset / VERITY_BLOCK_BYTES, length / VERITY_BLOCK_BYTES]),
    [
      [2, 2],
      [5, 1],
    ],
  );
});

test('the whole root is fetched when there is nothing to compare, another salt, or single requests that cost more', async () => {
  const next = Array.from({ length: 40 }, (_, index) => index);
  const newTree = await treeOf(image(next));
  const total = 40 * VERITY_BLOCK_BYTES;
  const whole = { copy: [], fetch: [{ offset: 0, length: total }] };
  assert.deepEqual(planDelta({ newTree, slots: [], target: 'b' }), whole);
  const salted = await treeOf(image(next), new Uint8Array(32).fill(8));
  assert.deepEqual(planDelta({ newTree, slots: [{ slot: 'a', tree: salted }], target: 'b' }), whole);
  // 29 of 40 blocks are there, three at a time at most: ten requests for single blocks cost more than one for all.
  const every4th = await treeOf(image(next.map((value) => (value % 4 === 0 || value === 39 ? 255 : value))));
  const slots = [{ slot: 'a' as const, tree: every4th }];
  assert.deepEqual(
    planDelta({ newTree, slots, target: 'b', requestCostBytes: 5 * VERITY_BLOCK_BYTES }),
    whole,
  );
  const { fetch } = planDelta({ newTree, slots, target: 'b', requestCostBytes: 0 });
  assert.deepEqual([fetch.length, bytesOf(fetch)], [11, 11 * VERITY_BLOCK_BYTES]);
  const same = planDelta({ newTree, slots: [{ slot: 'a', tree: newTree }], target: 'b' });
  assert.deepEqual(same, { fetch: [], copy: [{ from: 'a', fromBlock: 0, toBlock: 0, count: 40 }] });
});
