import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../kubernetes/access/kube-client.ts';
import { openNodeDrain } from './drain-node.ts';

test('a drain goes on until its pods are gone, or until its time since the boot began is over', async () => {
  const pod = { metadata: { name: 'web', namespace: 'default', uid: 'u', ownerReferences: [] } };
  let upMs = 60_000;
  let polls = 0;
  let pollsNeeded = 3;
  const client: Pick<KubeClient, 'get' | 'create'> = {
    get: async (_path, schema) => schema.parse({ items: ++polls <= pollsNeeded ? [pod] : [] }),
    create: async () => {},
  };
  const drain = openNodeDrain({
    client: { ...client, find: never, replace: never, patch: never, remove: never, close: () => {} },
    nodeName: 'node-1',
    upMs: async () => upMs,
    sleep: async (ms) => {
      upMs += ms;
    },
  });
  const empty = () =>
    drain.empty({
      ...{ evictUnmanaged: true, deadlineMs: 70_000, signal: new AbortController().signal },
      note: () => {},
    });
  await empty();
  assert.equal(polls, 4);
  pollsNeeded = Number.POSITIVE_INFINITY;
  await assert.rejects(empty(), { code: 'machine/drain-failed', message: /time is over.*default\/web/ });
  assert.equal(upMs, 70_000);
});

async function never(): Promise<never> {
  throw new Error('not asked for');
}
