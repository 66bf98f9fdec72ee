import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError, silentProgress } from '@plinth/base';
import { type KubernetesNode, parseNodes } from './kubernetes-nodes.ts';
import { openReasons, waitReady } from './wait-ready.ts';

const ready = (name: string): KubernetesNode => ({ name, ready: true, reason: '', version: '1.37.1' });
const signal = new AbortController().signal;

test('parseNodes: ready is Ready and without a taint of ours', () => {
  const item = (name: string, status: string | undefined, taints: readonly string[] = []) => ({
    metadata: { name },
    spec: { taints: taints.map((key) => ({ key, effect: 'NoSchedule' })) },
    status: {
      conditions: status ? [{ type: 'Ready', status, message: 'cni plugin not initialized' }] : [],
      nodeInfo: { kubeletVersion: 'v1.37.1' },
    },
  });
  const items = [
    item('a', 'True', ['node-role.kubernetes.io/control-plane']),
    item('b', 'False'),
    item('c', undefined),
    item('d', 'True', ['plinth.dev/self-test']),
    item('e', 'Unknown'),
  ];
  assert.deepEqual(
    parseNodes(JSON.stringify({ kind: 'NodeList', items })).map(({ name, ready: is, reason }) => [
      name,
      is,
      reason,
    ]),
    [
      ['a', true, ''],
      ['b', false, 'cni plugin not initialized'],
      ['c', false, 'its kubelet has not reported yet'],
      ['d', false, 'plinth.dev/self-test'],
      ['e', false, 'cni plugin not initialized'],
    ],
  );
});

for (const text of ['', '{}', '{"items":[{}]}', '[]']) {
  test(`parseNodes takes ${text || 'nothing'} for no list of nodes`, () => {
    assert.throws(() => parseNodes(text), { code: 'cluster/unreachable' });
  });
}

test('openReasons misses no node', () => {
  const nodes = [ready('a'), { ...ready('b'), ready: false, reason: 'x' }];
  assert.deepEqual(openReasons(['a', 'b', 'c'], nodes), ['b: x', 'c: not registered']);
});

test('waitReady asks again until all are ready, also while nobody answers', async () => {
  const silence = new PlinthError('cluster/unreachable', 'x', { retryable: true });
  const answers = [silence, [], [ready('a')], [ready('a'), ready('b')]];
  let asked = 0;
  const list = async () => {
    const answer = answers[asked++] ?? [];
    if (answer instanceof PlinthError) throw answer;
    return answer;
  };
  const nodes = await waitReady(['a', 'b'], list, 20_000, signal, silentProgress, 1);
  assert.deepEqual([nodes.length, asked], [2, 4]);
});

test('waitReady gives up with the reasons', async () => {
  const waiting = waitReady(['a'], async () => [], 20, signal, silentProgress, 1);
  await assert.rejects(waiting, { code: 'cluster/not-ready', message: /a: not registered/ });
});
