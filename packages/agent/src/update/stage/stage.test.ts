import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VERITY_BLOCK_BYTES as BLOCK } from '@plinth/formats';
import { stagedEntryName } from '@plinth/updates';
import fc from 'fast-check';
import { type FakeDiskOptions, sampleOffset } from '../testing/fake-disk.ts';
import { type SampleRelease, sampleBlocks, sampleRelease } from '../testing/sample-release.ts';
import {
  assertSlot,
  assertSound,
  assertStaged,
  stageWorld,
  toEnd,
  type WorldOptions,
} from '../testing/stage-world.ts';
import type { StageProgress } from '../types.ts';

const names = (count: number, change: (index: number) => string | number = (index) => index) =>
  Array.from({ length: count }, (_, index) => change(index));
const first = await sampleRelease('1.0', sampleBlocks(names(200)));
/** Six blocks in two places are new, all others at their places. */
const second = await sampleRelease(
  '1.1',
  sampleBlocks(names(210, (index) => (index % 100 < 3 ? `new ${index}` : index))),
);
/** The blocks of the second in another order, and some new ones. */
const third = await sampleRelease(
  '1.2',
  sampleBlocks(
    names(220, (index) => (index % 37 === 0 ? `third ${index}` : index < 60 ? index + 40 : index - 20)),
  ),
);

async function world(context: TestContext, options: Partial<WorldOptions> = {}) {
  const made = await stageWorld({ booted: first, offered: [second], ...options });
  context.after(() => made.close());
  return made;
}

test('a release comes into the empty slot: whole, read back, labelled, its UKI staged', async (context) => {
  const there = await world(context);
  const { stager } = there.start();
  const phases = new Set<string>();
  let last: StageProgress | undefined;
  for await (const progress of stager.stageUpdate(there.request())) {
    phases.add(progress.phase);
    last = progress;
  }
  assert.deepEqual([...phases], ['metadata', 'prepare', 'compare', 'write', 'verify', 'finish', 'staged']);
  await assertSound(there.medium, first, [second]);
  await assertStaged(there.medium, first, second);
  const { stage } = await stager.readUpdateState();
  assert.equal(stage?.state, 'staged');
  assert.equal(stage?.rootHash, second.rootHash);
  assert.deepEqual(stage?.progress, last);
});

test('only what the disk lacks crosses the wire', async (context) => {
  const there = await world(context);
  const { stager } = there.start();
  const last = await toEnd(stager.stageUpdate(there.request()));
  const isNew = Array.from({ length: 210 }, (_, index) => index).filter(
    (index) => index >= 200 || index % 100 < 3,
  ).length;
  const roots = there.server.asked.filter(({ path }) => path.includes('x86-64.root.'));
  const bytes = roots.reduce((sum, { range }) => sum + (range ? range.last - range.first + 1 : 0), 0);
  assert.ok(bytes >= isNew * BLOCK && bytes <= isNew * BLOCK * 1.2, `${bytes / BLOCK} blocks for ${isNew}`);
  const kernel = second.uki.length - 8192;
  assert.ok(last.bytesCopied >= second.root.length - bytes + kernel - 17 * 1024);
  assert.ok(
    last.bytesFetched >= bytes && last.bytesFetched < bytes + 64 * 1024,
    `${last.bytesFetched - bytes} bytes beside the blocks`,
  );
  assert.equal(
    last.bytesSaved + last.bytesFetched,
    [second.root, second.verity, second.signature, second.uki].reduce((sum, part) => sum + part.length, 0),
  );
});

test('a guess about the UKI that is wrong is found by its hash, and the whole is fetched', async (context) => {
  const uki = Buffer.from(second.uki);
  uki.write('another kernel of the same length', 20_000);
  const other = { ...second, uki };
  const there = await world(context, { offered: [other] });
  await toEnd(there.start().stager.stageUpdate(there.request()));
  await assertStaged(there.medium, first, other);
  assert.ok(there.medium.esp.get(stagedEntryName('1.1'))?.every((byte, index) => byte === uki[index]));
});

test('what the slot itself held is moved within it, in an order that overwrites nothing it still needs', async (context) => {
  const old = await sampleRelease(
    '0.9',
    sampleBlocks(names(220, (index) => (index < 180 ? index + 40 : `old ${index}`))),
  );
  const fresh = await sampleRelease(
    '2.0',
    sampleBlocks(names(180, (index) => (index < 150 ? index + 60 : `fresh ${index}`))),
  );
  const there = await world(context, {
    booted: await sampleRelease('1.0', sampleBlocks(names(200, (index) => `none ${index}`))),
    other: old,
    offered: [fresh],
  });
  const { stager } = there.start();
  const last = await toEnd(stager.stageUpdate(there.request()));
  assertSlot(there.medium, 'b', fresh);
  assert.ok(last.bytesCopied >= 140 * BLOCK, `${last.bytesCopied / BLOCK} blocks copied`);
});

test('a tree with another salt tells nothing: the blocks themselves are hashed', async (context) => {
  const salted = await sampleRelease('1.1', second.root, { salt: new Uint8Array(32).fill(9) });
  const there = await world(context, { offered: [salted] });
  const last = await toEnd(there.start().stager.stageUpdate(there.request()));
  assert.ok(last.bytesCopied > 180 * BLOCK);
  await assertStaged(there.medium, first, salted);
});

test('a block of the running slot that is not what its tree says is fetched instead', async (context) => {
  const there = await world(context);
  const at = sampleOffset('a', 'root') + 50 * BLOCK;
  there.medium.disk[at] = (there.medium.disk[at] ?? 0) ^ 1;
  await toEnd(there.start().stager.stageUpdate(there.request()));
  await assertStaged(there.medium, first, second);
});

test('it goes on after a cut at any write, and nothing that runs is ever touched', async (context) => {
  const counting = await world(context);
  const whole = counting.start();
  await toEnd(whole.stager.stageUpdate(counting.request()));
  const writes = whole.disk.writes();
  assert.ok(writes > 60, `${writes} writes`);
  for (let cutAt = 1; cutAt <= writes; cutAt++) {
    const there = await world(context);
    const { stager } = there.start({ cutAt, draw: drawer(cutAt) });
    await assert.rejects(toEnd(stager.stageUpdate(there.request())));
    await assertSound(there.medium, first, [second]);
    // The node starts again, and goes on by itself.
    await resume(there);
    await assertSound(there.medium, first, [second]);
    await assertStaged(there.medium, first, second);
  }
});

/** After a cut the state says "failed", or "running" when not even that was written: both can be staged again. */
async function resume(there: Awaited<ReturnType<typeof stageWorld>>, options: Partial<FakeDiskOptions> = {}) {
  const { stager } = there.start(options);
  return toEnd(stager.stageUpdate(there.request()));
}

function drawer(seed: number): (below: number) => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (below) => {
    state ^= (state << 13) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
}

test('cuts again and again, over a slot that held another version: sound at every moment, staged in the end', async () => {
  const cut = fc.record({
    cutAt: fc.integer({ min: 1, max: 90 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
  let survived = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 4 }), fc.boolean(), async (cuts, occupied) => {
      const there = await stageWorld({
        booted: first,
        offered: [second, third],
        ...(occupied ? { other: second } : {}),
      });
      try {
        for (const { cutAt, seed } of cuts) {
          await resume(there, { cutAt, draw: drawer(seed) }).then(
            () => {},
            () => survived++,
          );
          await assertSound(there.medium, first, [second, third]);
        }
        await resume(there);
        await assertSound(there.medium, first, [second, third]);
        await assertStaged(there.medium, first, third);
      } finally {
        await there.close();
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(survived > 40, `${survived} cuts`);
});

test('what is in place after a cut is not fetched again', async (context) => {
  const there = await world(context, {
    offered: [await sampleRelease('1.1', sampleBlocks(names(300, (index) => `all ${index}`)))],
  });
  await assert.rejects(resume(there, { cutAt: 70, draw: () => 1 }), /the power is cut/);
  const before = there.server.asked.length;
  const last = await resume(there);
  const bytes = there.server.asked
    .slice(before)
    .filter(({ path }) => path.includes('x86-64.root.'))
    .reduce((sum, { range }) => sum + (range ? range.last - range.first + 1 : 0), 0);
  assert.ok(bytes < 250 * BLOCK && last.bytesSaved > 50 * BLOCK, `${bytes / BLOCK} blocks again`);
});

test('whatever one mirror does wrong, the other one serves', async (context) => {
  for (const kind of ['corrupt', 'truncate', 'stall', 'no-ranges', 'status', 'endless'] as const) {
    const there = await world(context);
    const good = await world(context, { repository: there.repository });
    there.fault = ({ path }) => {
      if (!path.startsWith('targets/plinth')) return undefined;
      if (kind === 'corrupt') return { kind, atByte: 3 * BLOCK + 1 };
      if (kind === 'truncate' || kind === 'stall') return { kind, afterBytes: 5000 };
      if (kind === 'status') return { kind, status: 500 };
      return { kind };
    };
    const source = { addresses: [there.server.address, good.server.address], channel: 'stable' };
    await toEnd(there.start().stager.stageUpdate(there.request({ source })));
    await assertStaged(there.medium, first, second);
  }
});

test('a liar alone is refused with a code, and the slot stays labelled empty', async (context) => {
  for (const part of ['x86-64.root.', '.root-verity.', '.root-verity-sig.', '.efi'] as const) {
    const there = await world(context);
    there.fault = ({ path }) =>
      path.includes(part) ? { kind: 'other-file', path: 'metadata/1.root.json' } : undefined;
    const { stager } = there.start();
    await assert.rejects(toEnd(stager.stageUpdate(there.request())), {
      code: /^update\/(content-wrong|too-large)$/,
    });
    await assertSound(there.medium, first, [second]);
    const disk = await stager.readSlotDisk();
    assert.equal(disk.staged, undefined);
    if (part !== '.efi') assert.equal(disk.slots[1].version, '');
    const { stage } = await stager.readUpdateState();
    assert.equal(stage?.state, 'failed');
    assert.match(stage?.failure?.code ?? '', /^update\//);
    there.fault = undefined;
    await resume(there);
    await assertStaged(there.medium, first, second);
  }
});

test('a disk that gives back other bytes than were written is found by reading back', async (context) => {
  const there = await world(context);
  const { stager, disk } = there.start();
  const rotten = sampleOffset('b', 'root') + 7 * BLOCK;
  const honest = disk.openPartition.bind(disk);
  Object.assign(disk, {
    async openPartition(number: number, writable: boolean) {
      const file = await honest(number, writable);
      return number !== 5
        ? file
        : {
            ...file,
            flush: async () => {
              await file.flush();
              there.medium.disk[rotten] = (there.medium.disk[rotten] ?? 0) ^ 1;
            },
          };
    },
  });
  await assert.rejects(toEnd(stager.stageUpdate(there.request())), {
    code: 'update/disk-failed',
    message: /the first is 7/,
  });
  await assertSound(there.medium, first, [second]);
  assert.equal((await stager.readSlotDisk()).slots[1].version, '');
});

test('a slot that the kernel holds, and one that is too small, are not written', async (context) => {
  const there = await world(context);
  const { stager, disk } = there.start();
  disk.held.add(5);
  await assert.rejects(toEnd(stager.stageUpdate(there.request())), { code: 'update/slot-in-use' });
  const large = await world(context, { offered: [await sampleRelease('3.0', sampleBlocks(names(330)))] });
  await assert.rejects(resume(large), { code: 'update/release-invalid' });
});

test('a full ESP is told, and the next try works when there is room', async (context) => {
  const there = await world(context);
  const { stager } = there.start({ espBytes: first.uki.length + 1024 });
  await assert.rejects(toEnd(stager.stageUpdate(there.request())), { code: 'update/esp-full' });
  await assertSound(there.medium, first, [second]);
  assert.ok(!there.medium.esp.has(stagedEntryName('1.1')));
  await resume(there, { espBytes: 8 * 1024 * 1024 });
  await assertStaged(there.medium, first, second);
});

test('a full /var does not end an update', async (context) => {
  const there = await world(context);
  Object.assign(there.store, {
    write: async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    },
  });
  const { stager } = there.start();
  await toEnd(stager.stageUpdate(there.request()));
  await assertStaged(there.medium, first, second);
  const { stage } = await stager.readUpdateState();
  assert.deepEqual([stage?.state, stage?.version], ['staged', '1.1']);
});

test('one at a time: the same is joined, another is refused; leaving ends nothing', async (context) => {
  const there = await world(context, { offered: [second, third] });
  there.fault = ({ path, before }) =>
    path.includes('x86-64.root.') && before === 0 ? { kind: 'delay', delayMs: 200 } : undefined;
  const { stager } = there.start();
  const leaving = new AbortController();
  const one = stager.stageUpdate(there.request({ signal: leaving.signal }));
  const two = stager.stageUpdate(there.request());
  assert.throws(() => stager.stageUpdate(there.request({ version: '1.1' })), { code: 'update/busy' });
  await assert.rejects(
    stager.changeEntries(() => []),
    { code: 'update/busy' },
  );
  leaving.abort();
  for await (const _ of one) break;
  assert.equal((await toEnd(two)).phase, 'staged');
  await assertStaged(there.medium, first, third);
  // Staged is staged: nothing is fetched again.
  const asked = there.server.asked.length;
  assert.equal((await toEnd(stager.stageUpdate(there.request()))).phase, 'staged');
  assert.ok(there.server.asked.slice(asked).every(({ path }) => !/\.(raw|efi)$/.test(path)));
});

test('a staging that is cancelled ends at once; one that ends with plinthd goes on at its next start', async (context) => {
  const there = await world(context);
  there.fault = ({ path }) => (path.includes('x86-64.root.') ? { kind: 'stall', afterBytes: 10 } : undefined);
  const { stager } = there.start();
  const run = toEnd(stager.stageUpdate(there.request({ limits: { stallMs: 60_000 } })));
  run.catch(() => {});
  await untilAsked(there, 'x86-64.root.');
  assert.equal(await stager.cancelStage(), true);
  await assert.rejects(run, { code: 'update/cancelled' });
  assert.equal((await stager.readUpdateState()).stage?.state, 'cancelled');
  assert.equal(await stager.cancelStage(), false);
  await assertSound(there.medium, first, [second]);

  const ending = new AbortController();
  const again = there.start({ signal: ending.signal });
  const secondRun = toEnd(again.stager.stageUpdate(there.request({ limits: { stallMs: 60_000 } })));
  secondRun.catch(() => {});
  await untilAsked(there, 'x86-64.root.', 2);
  ending.abort(new Error('plinthd ends'));
  await assert.rejects(secondRun);
  assert.equal((await again.stager.readUpdateState()).stage?.state, 'running');
  there.fault = undefined;
  const next = there.start();
  await next.stager.resumeStage();
  await toEnd(next.stager.stageUpdate(there.request()));
  await assertStaged(there.medium, first, second);
});

async function untilAsked(there: Awaited<ReturnType<typeof stageWorld>>, part: string, times = 1) {
  while (
    there.server.asked.filter(({ path }) => path.includes(part) && !path.includes('verity')).length < times
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a version that failed here is not taken by itself, but when it is named', async (context) => {
  const there = await world(context);
  await there.store.write(
    'update/state.json',
    Buffer.from(
      JSON.stringify({ failed: [{ version: '1.1', atMs: 1, reason: 'no network' }], stage: 'torn' }),
    ),
  );
  const { stager } = there.start();
  await assert.rejects(toEnd(stager.stageUpdate(there.request())), { code: 'update/blocked-here' });
  const offer = await stager.checkUpdate(there.request().source);
  assert.equal(offer.newest, '1.1');
  assert.equal(offer.decision.kind, 'none');
  await toEnd(stager.stageUpdate(there.request({ version: '1.1' })));
  await assertStaged(there.medium, first, second);
  assert.equal((await stager.readUpdateState()).failed.length, 1);
});

test('a release that is another than its channel says, or whose parts do not fit, is refused before anything is written', async (context) => {
  const swapped: SampleRelease = { ...second, verity: third.verity };
  const there = await world(context, { offered: [swapped] });
  const { stager, disk } = there.start();
  await assert.rejects(toEnd(stager.stageUpdate(there.request())), {
    code: /^update\/(release-invalid|content-wrong)$/,
  });
  assert.equal(disk.writes(), 0);
});
