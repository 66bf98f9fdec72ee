import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@plinth/host/testing';
import type { KubeConnection, KubeRequest } from '@plinth/kube';
import { openNodePods } from './node-pods.ts';

const podOf = (node: string) => ({
  metadata: { name: `pod-${node}`, namespace: 'd', uid: node, resourceVersion: '3' },
  spec: { nodeName: node },
});

/** An API server with one pod on each node. */
function world() {
  const lists: string[] = [];
  const watches: string[] = [];
  const clock = { nowMs: 1_000_000, isAway: false };
  const stop = new AbortController();
  const connection: KubeConnection = {
    server: new URL('https://192.0.2.1'),
    async call({ query = {} }: KubeRequest) {
      await sleep(1);
      const node = query['fieldSelector']?.split('=')[1] ?? '';
      lists.push(node);
      if (clock.isAway) return { status: 500, text: '{}', retryAfterMs: undefined };
      return {
        status: 200,
        text: JSON.stringify({ items: [podOf(node)], metadata: { resourceVersion: '5' } }),
        retryAfterMs: undefined,
      };
    },
    async open({ query = {} }: KubeRequest) {
      watches.push(query['fieldSelector'] ?? '');
      const node = query['fieldSelector']?.split('=')[1] ?? '';
      const stream = new Readable({ read: () => undefined });
      const end = {
        metadata: { resourceVersion: '5', annotations: { 'k8s.io/initial-events-end': 'true' } },
      };
      stream.push(`${JSON.stringify({ type: 'ADDED', object: podOf(node) })}\n`);
      stream.push(`${JSON.stringify({ type: 'BOOKMARK', object: end })}\n`);
      stop.signal.addEventListener('abort', () => stream.destroy());
      return Object.assign(stream, {
        statusCode: 200,
        setTimeout: () => stream,
      }) as unknown as IncomingMessage;
    },
    [Symbol.dispose]: () => undefined,
  };
  const pods = openNodePods(
    {
      ...{ connection, random: () => 0, say: () => undefined, wait: (ms: number) => sleep(Math.min(ms, 1)) },
      ...{ nowMs: () => clock.nowMs, changed: () => undefined },
    },
    stop.signal,
  );
  const known = (node: string) => pods.byNode.get(node)?.map(({ name }) => name);
  const until = (ask: () => boolean) => eventually(ask, { patienceMs: 30_000, everyMs: 1 });
  return { pods, lists, watches, clock, known, until, stop };
}

suite('pods of nodes', () => {
  test('candidates are listed once, however often they are asked for, and again when that is long ago', async () => {
    const { pods, lists, clock, known, until, stop } = world();
    for (let times = 0; times < 5; times++) {
      pods.want(['a', 'b']);
      pods.want([]);
    }
    await until(() => known('b') !== undefined);
    assert.deepEqual([lists, known('a')], [['a', 'b'], ['pod-a']]);
    clock.nowMs += 130_000;
    pods.want(['a']);
    await until(() => lists.length === 3);
    clock.nowMs += 250_000;
    pods.want(['a']);
    assert.equal(known('b'), undefined, 'nobody has asked for it in a while');
    stop.abort();
  });

  test('a list that fails is no list: the node stays unknown, and is listed when it is asked for again', async () => {
    const { pods, lists, clock, known, until, stop } = world();
    clock.isAway = true;
    pods.want(['a']);
    await until(() => lists.length === 1);
    await sleep(5);
    assert.equal(known('a'), undefined);
    clock.isAway = false;
    pods.want(['a']);
    await until(() => known('a') !== undefined);
    stop.abort();
  });

  test('a node in flight is watched, what was listed before counts no more, and after it nothing is known', async () => {
    const { pods, watches, known, until, stop } = world();
    pods.want(['a']);
    await until(() => known('a') !== undefined);
    pods.watch('a');
    assert.equal(known('a'), undefined);
    await until(() => known('a') !== undefined && watches.length === 1);
    pods.watch('a');
    pods.unwatch('a');
    assert.deepEqual([known('a'), watches], [undefined, ['spec.nodeName=a']]);
    pods.want(['a']);
    await until(() => known('a') !== undefined);
    stop.abort();
  });
});
