import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../access/kube-client.ts';
import { admitsAll } from '../testing/admits-all.ts';
import { runApprover } from './run-approver.ts';

const self = { nodeId: 'a0', nodeName: 'n0', nodeAddress: '192.0.2.1', role: 'control-plane' } as const;

/** A cluster with one request that is for a person to decide; it can be away. */
function cluster() {
  const state = { away: false };
  const lists: Readonly<Record<string, object[]>> = {
    'kube-apiserver-client-kubelet': [
      {
        metadata: { name: 'x' },
        spec: { request: '', signerName: 'kubernetes.io/kube-apiserver-client-kubelet', username: 'alice' },
      },
    ],
  };
  const refuse = () => assert.fail('a request left to a person must not be changed');
  const client: KubeClient = {
    async get(path, schema) {
      if (state.away) throw new Error('away');
      const items = Object.entries(lists).find(([name]) => path.includes(name))?.[1] ?? [];
      return schema.parse({ items });
    },
    find: async () => undefined,
    create: async () => {}, // the record of this control plane
    replace: refuse,
    patch: refuse,
    remove: refuse,
    close: () => {},
  };
  return { state, client };
}

test('what is left to a person is said once; an API that is away is asked less and less', async () => {
  const { state, client } = cluster();
  const stopping = new AbortController();
  const said: string[] = [];
  const waits: number[] = [];
  await runApprover(
    { client, self, admission: admitsAll, nowMs: () => 0 },
    {
      signal: stopping.signal,
      async sleep(durationMs) {
        waits.push(durationMs);
        state.away = waits.length >= 3 && waits.length < 9;
        if (waits.length === 10) stopping.abort();
      },
      onDecision: ({ request, judgement }) => said.push(`${request} ${judgement.verdict}`),
      onFailure: (reason) => said.push(reason === undefined ? 'back' : 'away'),
    },
  );
  assert.deepEqual(said, ['x leave', 'away', 'back']);
  assert.deepEqual(waits, [3000, 3000, 3000, 6000, 10000, 10000, 10000, 10000, 10000, 3000]);
});
