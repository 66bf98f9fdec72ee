import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { VERITY_BLOCK_BYTES as BLOCK } from '@plinth/formats';
import fc from 'fast-check';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { Fault } from '../testing/lying-server.ts';
import { type SampleRelease, sampleBlocks, sampleRelease } from '../testing/sample-release.ts';
import { assertSound, assertStaged, stageWorld, toEnd } from '../testing/stage-world.ts';
import { fetchPacked } from './fetch-packed.ts';
import { unpackBlocks } from './unpack-blocks.ts';

/** Every third block is of bytes that do not compress, the others do well; every eleventh is of zeros. */
function mixedRoot(blocks: number, seed: string): Uint8Array {
  const root = sampleBlocks(Array.from({ length: blocks }, (_, block) => `${seed} ${block}`));
  for (let block = 0; block < blocks; block++) {
    const bytes = root.subarray(block * BLOCK, (block + 1) * BLOCK);
    if (block % 11 === 5) bytes.fill(0);
    else if (block % 3 === 0)
      for (let at = 0; at < BLOCK; at += 64)
        bytes.set(hash('sha512', `${seed} ${block} ${at}`, 'buffer'), at);
  }
  return root;
}

const booted = await sampleRelease('1.0', mixedRoot(100, 'old'));
const offered = await sampleRelease('1.1', mixedRoot(310, 'new'), { packed: true });
const isPacked = (path: string) => path.endsWith('.blocks.zst') && path.includes('.root.');
const isPackedTree = (path: string) => path.endsWith('.blocks.zst') && path.includes('.root-verity.');
const isRoot = (path: string) => path.includes('x86-64.root.') && path.endsWith('.raw');

async function world(context: TestContext, release: SampleRelease = offered) {
  const made = await stageWorld({ booted, offered: [release] });
  context.after(() => made.close());
  return made;
}

test('blocks come compressed where the release has them so, and zeros not at all', async (context) => {
  const there = await world(context);
  const last = await toEnd(there.start().stager.stageUpdate(there.request()));
  await assertStaged(there.medium, booted, offered);
  assert.ok(!there.server.asked.some(({ path }) => isRoot(path)), 'nothing as it is');
  const zeros = Array.from({ length: 310 }, (_, block) => block).filter((block) => block % 11 === 5).length;
  const asked = there.server.asked.filter(({ path }) => isPacked(path));
  const bytes = asked.reduce((sum, { range }) => sum + (range ? range.last - range.first + 1 : 0), 0);
  assert.ok(bytes < (310 - zeros) * BLOCK * 0.45, `${bytes} bytes for ${(310 - zeros) * BLOCK}`);
  assert.ok(last.bytesSaved > 310 * BLOCK * 0.5);
  assert.ok(there.server.asked.some(({ path }) => isPackedTree(path)));
});

const gone: Fault = { kind: 'status', status: 404 };
for (const [what, fault] of [
  ['is not there', gone],
  ['ends at once', { kind: 'truncate', afterBytes: 0 }],
  ['is another file', { kind: 'wrong-range', shiftBytes: 999, admits: false }],
  ['stalls', { kind: 'stall', afterBytes: 10 }],
] as const) {
  test(`a compressed form that ${what} costs time, nothing else`, async (context) => {
    const there = await world(context);
    there.fault = ({ path }) => (isPacked(path) || isPackedTree(path) ? fault : undefined);
    await toEnd(there.start().stager.stageUpdate(there.request({ limits: { stallMs: 150 } })));
    await assertStaged(there.medium, booted, offered);
    assert.ok(there.server.asked.some(({ path }) => isRoot(path)));
  });
}

test('whatever the compressed form holds, the slot is right afterwards', async () => {
  const { packedRoot, packedVerity } = offered;
  assert.ok(packedRoot && packedVerity);
  const place = fc.integer({ min: 0, max: packedRoot.length - 1 });
  const inIndex = fc.integer({ min: packedRoot.length - 5 * 136, max: packedRoot.length - 1 });
  const damage = fc.array(fc.tuple(fc.oneof(place, inIndex), fc.uint8Array({ minLength: 1, maxLength: 9 })), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const bad = Uint8Array.from(packedRoot);
      for (const [at, bytes] of changes) bad.set(bytes.subarray(0, bad.length - at), at);
      const badTree = Uint8Array.from(packedVerity);
      for (const [at, bytes] of changes) {
        const place = at % badTree.length;
        badTree.set(bytes.subarray(0, badTree.length - place), place);
      }
      const release = { ...offered, packedRoot: bad, packedVerity: badTree };
      const there = await stageWorld({ booted, offered: [release] });
      try {
        await toEnd(there.start().stager.stageUpdate(there.request()));
        await assertSound(there.medium, booted, [release]);
        await assertStaged(there.medium, booted, release);
      } finally {
        await there.close();
      }
    }),
    { numRuns: 25 },
  );
});

test('a large update comes as it is: unpacking would take longer than a tenth of it on the wire', async () => {
  const asked: unknown[] = [];
  const file = { path: 'targets/root.blocks.zst', sizeBytes: 40_000_000, sha256: '' };
  const fetcher = { ranges: async (fetch: unknown) => void asked.push(fetch) } satisfies Pick<
    Fetcher,
    'ranges'
  >;
  for (const count of [8192, 8193]) {
    const wanted = new Uint8Array(9000).fill(1, 0, count);
    await fetchPacked({ fetcher, file, wanted, signal: new AbortController().signal, take: () => 0 });
  }
  assert.equal(asked.length, 1);
});

test('a frame that would grow, ask for much memory, or is none, is not unpacked', () => {
  const good = zstdCompressSync(Buffer.alloc(BLOCK, 'good'));
  const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
  // A frame that says it needs a window of 128 MB, with one block as it is in it (RFC 8878, 3.1.1).
  const [window, block] = [(27 - 10) << 3, (BLOCK << 3) | 1];
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0, window, block & 255, (block >> 8) & 255, block >> 16];
  const wide = Buffer.concat([Buffer.from(head), Buffer.alloc(BLOCK, 'wide')]);
  const short = zstdCompressSync(Buffer.alloc(BLOCK - 1, 'short'));
  const frames = Buffer.concat([good, good]);
  assert.equal(unpackBlocks(frames, 2)?.toString('latin1', BLOCK, BLOCK + 4), 'good');
  for (const [bytes, blocks] of [
    [bomb, 1],
    [bomb, 100],
    [wide, 1],
    [short, 1],
    [Buffer.concat([good, short]), 2],
    [frames, 1],
    [frames, 3],
    [Buffer.from('none'), 1],
    [Buffer.alloc(0), 1],
  ] as const)
    assert.equal(unpackBlocks(bytes, blocks), undefined);
});
