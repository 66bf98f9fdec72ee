import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { layerOfSerial, ModelNode } from './model-node.testing.ts';

let root = '';
let node: ModelNode;
// Timers of plinthd do not keep a process alive; its server does.
const alive = setInterval(() => {}, 1000);
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'plinth-hot-'));
});
after(async () => {
  clearInterval(alive);
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  node = new ModelNode(await mkdtemp(join(root, 'case-')));
});

const refusal = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const activate = async (serial: number) => {
  await node.plinthd.activate(serial);
  await node.idle();
};

suite('the hot layer of a node', () => {
  test('is merged, what is old is restarted, and it is kept only then', async () => {
    await node.stage(layerOfSerial(1));
    assert.deepEqual([node.merged, node.kept], [undefined, undefined]);
    await activate(1);
    const { phase, state } = await node.plinthd.view();
    assert.equal(phase, 'active');
    assert.equal(node.merged?.serial, 1);
    assert.deepEqual(node.old(), []);
    assert.ok(node.kept !== undefined && node.trial === undefined);
    assert.deepEqual(state.report?.remaining, []);
    assert.deepEqual([...(state.report?.restarted ?? [])].sort(), [...node.units].sort());
    assert.deepEqual(
      state.highest.map(({ serial }) => serial),
      [1],
    );
  });

  test('restarts only what maps it', async () => {
    node.linking = new Set(['systemd-resolved.service']);
    await node.stage(layerOfSerial(1));
    await activate(1);
    const { state } = await node.plinthd.view();
    assert.deepEqual(state.report?.restarted, ['systemd-resolved.service']);
  });

  test('a boot merges it before services start, and what started earlier is restarted', async () => {
    await node.stage(layerOfSerial(1));
    await activate(1);
    node.reboot();
    assert.equal(node.merged?.serial, 1);
    assert.notDeepEqual(node.old(), []);
    await node.plinthd.live();
    await node.idle();
    assert.deepEqual(node.old(), []);
  });

  test('a boot during the trial is without it, and says so', async () => {
    await node.stage(layerOfSerial(1));
    node.budget = 5;
    await activate(1);
    assert.equal(node.isAlive, false);
    node.budget = Number.POSITIVE_INFINITY;
    node.reboot();
    assert.equal(node.merged, undefined);
    await node.plinthd.live();
    const { phase, state } = await node.plinthd.view();
    assert.deepEqual([phase, state.failure?.code], ['none', 'hot-layer/not-healthy']);
  });

  for (const [what, spoil] of [
    ['a service does not start with it', () => node.broken.add('systemd-resolved.service')],
    ['the node is not healthy with it', () => Object.assign(node, { healthy: false })],
  ] as const)
    test(`is taken back when ${what}; the layer before stays`, async () => {
      await node.stage(layerOfSerial(1));
      await activate(1);
      await node.stage(layerOfSerial(2));
      await node.plinthd.activate(2);
      spoil();
      await node.idle();
      node.broken.clear();
      const { phase, layer, state } = await node.plinthd.view();
      assert.equal(phase, 'active');
      assert.match(layer?.manifest ?? '', /"serial": 1/);
      assert.equal(node.merged?.serial, 1);
      assert.equal(state.failure?.code, 'hot-layer/not-healthy');
    });

  test('one that the kernel refuses changes nothing', async () => {
    await node.stage(layerOfSerial(1), 'not signed');
    await activate(1);
    const { phase, state } = await node.plinthd.view();
    assert.deepEqual([phase, state.failure?.code], ['none', 'hot-layer/refused']);
    assert.match(state.failure?.message ?? '', /Required key not available/);
    assert.deepEqual(
      [node.merged, node.trial, node.kept, state.highest],
      [undefined, undefined, undefined, []],
    );
  });

  test('a layer that is refused, or taken back, restarts nothing that runs the files of the image, from whichever overlay', async () => {
    node.kubernetes = true;
    node.reboot();
    const before = new Map(node.maps);
    await node.stage(layerOfSerial(1), 'not signed');
    await activate(1);
    assert.deepEqual([...node.maps], [...before]);
    assert.deepEqual(node.old(), []);
    await node.stage(layerOfSerial(2));
    await activate(2);
    await node.plinthd.retire(2);
    await node.idle();
    assert.deepEqual(node.old(), []);
  });

  test('one that says something else inside than beside it is taken away again', async () => {
    await node.stage(layerOfSerial(1));
    const [path] = node.signed.keys();
    node.signed.set(path ?? '', layerOfSerial(9));
    await activate(1);
    const { phase, state } = await node.plinthd.view();
    assert.deepEqual([phase, state.failure?.code, node.merged], ['none', 'hot-layer/refused', undefined]);
  });

  test('one whose manifest inside cannot be read is taken away again, the layer before stays', async () => {
    await node.stage(layerOfSerial(1));
    await activate(1);
    node.unreadable.add(2);
    await node.stage(layerOfSerial(2));
    await activate(2);
    const { phase, state } = await node.plinthd.view();
    assert.deepEqual([phase, state.failure?.code, node.merged?.serial], ['active', 'hot-layer/invalid', 1]);
    assert.deepEqual(node.old(), []);
  });

  test('one that is refused at boot goes, and the boot goes on without it', async () => {
    await node.stage(layerOfSerial(1));
    await activate(1);
    node.signed.clear();
    node.reboot();
    await node.plinthd.live();
    const { phase, state } = await node.plinthd.view();
    assert.deepEqual([phase, state.failure?.code, node.kept], ['none', 'hot-layer/refused', undefined]);
  });

  test('a boot that does not come up with it is followed by one without it, which tries it again; not for ever', async () => {
    await node.stage(layerOfSerial(1));
    await activate(1);
    for (let boots = 1; boots <= 3; boots++) {
      node.reboot();
      assert.ok(node.merged, 'merged at boot');
      // It hangs: plinthd never says that it is healthy.
      node.reboot();
      assert.ok(!node.merged, 'the next boot is without it');
      await node.plinthd.live();
      await node.idle();
      const { phase } = await node.plinthd.view();
      assert.equal(phase, boots < 3 ? 'active' : 'none');
      assert.equal(Boolean(node.merged), boots < 3);
    }
    assert.match((await node.plinthd.view()).state.failure?.message ?? '', /3 boots in a row/);
  });

  test('older ones, and those of another base, are refused', async () => {
    await node.stage(layerOfSerial(2));
    await activate(2);
    await assert.rejects(node.stage(layerOfSerial(1)), refusal('hot-layer/older'));
    const base = { name: 'plinth', version: '1.4.3', rootHash: 'c'.repeat(64) };
    await assert.rejects(node.stage(layerOfSerial(3, { base })), refusal('hot-layer/wrong-base'));
    await node.plinthd.retire(2);
    await node.idle();
    assert.deepEqual([node.merged, node.old()], [undefined, []]);
    await assert.rejects(node.stage(layerOfSerial(1)), refusal('hot-layer/older'));
  });

  test('another image leaves it aside while a slot could boot its base, and removes it afterwards', async () => {
    await node.stage(layerOfSerial(1));
    await activate(1);
    node.booted = { name: 'plinth', version: '1.4.3', rootHash: 'c'.repeat(64) };
    node.reboot();
    await node.plinthd.live();
    assert.equal(node.merged, undefined);
    assert.equal((await node.plinthd.view()).phase, 'dormant');
    node.slots = new Set(['c'.repeat(64)]);
    node.reboot();
    await node.plinthd.live();
    const { phase, note } = await node.plinthd.view();
    assert.equal(phase, 'none');
    assert.match(note, /removed.*1\.4\.3/);
    assert.deepEqual(
      await readdir(node.folder),
      (await node.plinthd.view()).state.staged ? await readdir(node.folder) : [],
    );
  });

  test('nothing is activated that was not staged, and one change at a time', async () => {
    await assert.rejects(node.plinthd.activate(1), refusal('hot-layer/not-staged'));
    await assert.rejects(node.plinthd.retire(1), refusal('hot-layer/not-staged'));
    await node.stage(layerOfSerial(1));
    await node.plinthd.activate(1);
    await assert.rejects(node.plinthd.retire(1), refusal('hot-layer/busy'));
    await node.idle();
  });
});

test('killed or booted anew between any two acts, the node ends with one proven layer or none, and nothing runs old code', async () => {
  const step = fc.record({
    what: fc.constantFrom('activate', 'retire'),
    /** Acts until plinthd is killed. */
    budget: fc.integer({ min: 0, max: 40 }),
    ends: fc.constantFrom('restart', 'reboot'),
  });
  let cut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
      const folder = await mkdtemp(join(root, 'run-'));
      node = new ModelNode(folder);
      let highest = 0;
      for (const [at, { what, budget, ends }] of steps.entries()) {
        const before = (await node.plinthd.view()).layer?.manifest;
        if (what === 'activate') await node.stage(layerOfSerial(at + 1));
        node.budget = budget;
        const { layer } = await node.plinthd.view();
        const serial =
          what === 'activate' ? at + 1 : Number(/"serial": (\d+)/.exec(layer?.manifest ?? '')?.[1] ?? 0);
        await node.plinthd[what](serial).catch(() => {});
        await node.idle();
        const wasCut = !node.isAlive;
        if (wasCut) cut++;
        node.budget = Number.POSITIVE_INFINITY;
        if (ends === 'reboot') node.reboot();
        else if (wasCut) node.restartPlinthd();
        // A boot in the middle never merges what was not proven.
        if (ends === 'reboot' && wasCut && node.merged)
          assert.ok(before !== undefined || node.kept !== undefined, 'merged at boot without being kept');
        node.marked = false;
        await node.plinthd.live();
        await node.idle();
        const { phase, state } = await node.plinthd.view();
        assert.ok(phase === 'active' || phase === 'none', phase);
        assert.equal(node.trial, undefined);
        assert.equal(
          node.merged?.serial,
          phase === 'active' ? JSON.parse(state.kept?.manifest ?? '{}').serial : undefined,
        );
        assert.deepEqual(node.old(), []);
        const now = state.highest[0]?.serial ?? 0;
        assert.ok(now >= highest && now >= (node.merged?.serial ?? 0));
        highest = now;
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(cut > 50, `${cut} cuts`);
});
