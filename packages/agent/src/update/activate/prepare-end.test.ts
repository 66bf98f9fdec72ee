import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bootEntryName } from '@plinth/updates';
import { judgeFallBack } from '../health/judge-fall-back.ts';
import { viewUpdate } from '../service/read-update.ts';
import { ModelNode } from '../testing/model-node.ts';
import { prepareEnd } from './prepare-end.ts';

const asked = { askedBy: 'ann', reason: 'slow' };

async function staged(version: string): Promise<ModelNode> {
  const node = new ModelNode('1.0');
  const source = { addresses: [], channel: 'stable' };
  for await (const _ of node.stager.stageUpdate({ source, version, by: 'ann' }));
  return node;
}

const prepare = (node: ModelNode, how: 'activate' | 'roll-back', version: string) =>
  prepareEnd(
    {
      ...{ store: node.store, stager: node.stager, bootId: node.bootId, nowMs: () => 1 },
      baseline: async () => ({ notPassing: ['health/etcd'], defaultRoutes: ['IPv4'] }),
    },
    { how, version },
    asked,
  );

suite('the last moment before a reboot into another version', () => {
  test('an activation remembers who, why and what the node was like; named, a version is blocked no longer', async () => {
    const node = await staged('1.1');
    await node.store.change((state) => ({
      ...state,
      failed: [{ version: '1.1', atMs: 0, reason: 'it hung' }],
    }));
    await prepare(node, 'activate', '1.1');
    const { activated, failed } = await node.store.read();
    assert.partialDeepStrictEqual(activated, { version: '1.1', from: '1.0', by: 'ann', bootId: 'boot-1' });
    assert.deepEqual(activated?.baseline?.notPassing, ['health/etcd']);
    assert.deepEqual(failed, []);
    assert.ok(node.files.has(bootEntryName('1.1', { triesLeft: 3, triesDone: 0 })));
  });

  test('killed after any part it is done again, and nothing is done twice', async () => {
    const node = await staged('1.1');
    node.entriesFail = 'plinthd was killed';
    await assert.rejects(prepare(node, 'activate', '1.1'), /killed/);
    node.entriesFail = '';
    await prepare(node, 'activate', '1.1');
    const files = [...node.files].sort();
    await prepare(node, 'activate', '1.1');
    assert.deepEqual([...node.files].sort(), files);
    node.restart();
    node.files = new Set([bootEntryName('1.0'), bootEntryName('1.1')]);
    await prepare(node, 'roll-back', '1.0');
    await prepare(node, 'roll-back', '1.0');
    assert.deepEqual([...node.files], [bootEntryName('1.0')]);
    const { failed } = await node.store.read();
    assert.deepEqual(
      failed.map(({ version, reason, by }) => [version, reason, by]),
      [['1.1', 'ann went back to 1.0: slow', 'ann']],
    );
  });

  test('power that goes before the entry is renamed: the next boot is of the version before, and none failed', async () => {
    const node = await staged('1.1');
    node.entriesFail = 'the power is cut';
    await assert.rejects(prepare(node, 'activate', '1.1'));
    node.entriesFail = '';
    node.restart();
    const state = await node.store.read();
    const { view, phase } = viewUpdate(node.disk, state, undefined, node.bootId);
    assert.deepEqual([view.booted.version, phase], ['1.0', 'staged']);
    assert.equal(judgeFallBack({ view, state, bootId: node.bootId }), undefined);
  });
});
