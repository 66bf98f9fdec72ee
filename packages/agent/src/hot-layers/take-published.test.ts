import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { layerOfSerial, ModelNode } from './model-node.testing.ts';
import { takePublished } from './take-published.ts';

let root = '';
let node: ModelNode;
// Timers of plinthd do not keep a process alive; its server does.
const alive = setInterval(() => {}, 1000);
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'plinth-take-'));
});
after(async () => {
  clearInterval(alive);
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  node = new ModelNode(await mkdtemp(join(root, 'case-')));
});

const merged = () => node.merged?.serial;

/** One look at the repository, and what comes of it. */
async function look(): Promise<number | undefined> {
  const taken = await takePublished(node.plinthd, { say: (text) => void node.said.push(text) });
  await node.idle();
  return taken;
}

suite('a node whose policy has it take hot layers by itself', () => {
  test('takes what is published, keeps it, and does not fetch it again', async () => {
    node.published = { layer: layerOfSerial(1) };
    assert.equal(await look(), 1);
    assert.equal((await node.plinthd.view()).phase, 'active');
    assert.deepEqual([merged(), node.old()], [1, []]);
    assert.match(node.said.join('\n'), /takes \S+ by the update policy/);
    assert.equal(await look(), undefined);
    assert.equal(node.fetches, 1);
    node.published = { layer: layerOfSerial(2) };
    assert.equal(await look(), 2);
    assert.equal(merged(), 2);
  });

  test('does not take again what failed on it, but the next one, and the same when it is told to', async () => {
    node.published = { layer: layerOfSerial(1) };
    node.broken.add('systemd-resolved.service');
    assert.equal(await look(), 1);
    assert.equal((await node.plinthd.view()).state.failure?.code, 'hot-layer/not-healthy');
    assert.equal(merged(), undefined);
    node.broken.clear();
    assert.equal(await look(), undefined);
    assert.equal(node.fetches, 1);
    await node.plinthd.fetch();
    await node.plinthd.activate(1);
    await node.idle();
    assert.equal(merged(), 1);
    node.published = { layer: layerOfSerial(2), content: 'not signed' };
    assert.equal(await look(), 2);
    assert.deepEqual([merged(), (await node.plinthd.view()).state.failure?.code], [1, 'hot-layer/refused']);
    node.published = { layer: layerOfSerial(3) };
    assert.equal(await look(), 3);
    assert.equal(merged(), 3);
  });

  test('a failure over one image says nothing of another', async () => {
    node.published = { layer: layerOfSerial(1) };
    node.healthy = true;
    node.broken.add('systemd-resolved.service');
    await look();
    node.broken.clear();
    const base = { name: 'plinth', version: '1.4.3', rootHash: 'c'.repeat(64) };
    node.booted = base;
    node.reboot();
    await node.plinthd.live();
    node.published = { layer: layerOfSerial(1, { base }) };
    assert.equal(await look(), 1);
    assert.equal(merged(), 1);
  });

  test('leaves alone what its owner retired', async () => {
    node.published = { layer: layerOfSerial(1) };
    await look();
    await node.plinthd.retire(1);
    await node.idle();
    assert.equal(await look(), undefined);
    assert.equal(merged(), undefined);
  });

  test('is silent where nothing is published or the node is at it, and says what is wrong otherwise', async () => {
    assert.equal(await look(), undefined);
    node.published = { layer: layerOfSerial(1) };
    await node.plinthd.fetch();
    await node.plinthd.activate(1);
    assert.equal(await takePublished(node.plinthd, { say: () => {} }), undefined);
    await node.idle();
    node.published = { layer: layerOfSerial(2, { fixes: [{ package: 'zlib1g', from: '1', to: '2' }] }) };
    await assert.rejects(
      look(),
      (error) => error instanceof PlinthError && error.code === 'hot-layer/not-cumulative',
    );
  });
});
