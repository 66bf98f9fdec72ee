import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeClient, StartPermission } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { eventually } from '@plinth/host/testing';
import { type NodeReport, nodeUpdateSpec, target as targetSchema } from '../../objects/index.ts';
import type { StoredNodeUpdate } from '../../view/view.ts';
import { openNodeDriver } from './node-driver.ts';

const NEW = '0b'.repeat(32);
const target = targetSchema.parse({
  ...{ release: 'r', rollout: 'x', lane: 'Standard', osVersion: '1.1', osRootHash: NEW },
});
const authorization = {
  ...{ nodeUid: 'u', bootId: 'boot-1', rootHash: NEW, direction: 'Forward', nonce: 'n-1' },
  notAfter: '2026-11-22T12:00:00Z',
};

/** A node whose plinthd answers as told, and the NodeUpdate it is written into. */
function world(
  change: {
    readonly authorization?: object;
    readonly silent?: boolean;
    readonly staging?: Promise<void>;
  } = {},
) {
  const calls: string[] = [];
  const permitted: (StartPermission | undefined)[] = [];
  const kept: NodeReport[] = [];
  let [running, most] = [0, 0];
  const spec = nodeUpdateSpec.parse({ nodeUid: 'u', policy: 'p', target, ...change });
  const stored: StoredNodeUpdate = {
    ...{ name: 'n', uid: 'u', resourceVersion: '1', generation: 1, createdAtMs: 0, spec, status: undefined },
  };
  const answer = async <T>(name: string, value: T): Promise<T> => {
    if (change.silent) throw new PlinthError('api/unreachable', 'it is down');
    calls.push(name);
    most = Math.max(most, ++running);
    await sleep(2);
    running--;
    return value;
  };
  const client = {
    getIdentity: async () => ({ bootId: 'boot-1' }),
    kubernetes: { get: async () => ({ version: '1.36.4', layers: [] }) },
    update: {
      get: () =>
        answer('get', { phase: 1, booted: { version: '1.0', rootHash: '0a'.repeat(32) }, blocked: [] }),
      cancel: () => answer('cancel', ''),
      async *stage(version: string) {
        await change.staging;
        yield await answer(`stage ${version}`, {});
      },
      activate: (version: string, options: { authorization?: StartPermission }) => {
        permitted.push(options.authorization);
        return answer(`activate ${version}`, {});
      },
    },
  } as unknown as NodeClient;
  const stop = new AbortController();
  const driver = openNodeDriver({
    links: { to: () => client, sweep: () => undefined, [Symbol.dispose]: () => undefined },
    nodeUpdate: () => stored,
    documentsOf: () => Promise.reject(new Error('the release has no config')),
    hear: (_node, { report }) => void kept.push(report),
    called: () => undefined,
    ...{ nowMs: Date.now, wait: (ms: number) => sleep(ms), signal: stop.signal, spacingMs: 5 },
  });
  const idle = () => eventually(() => driver.running === 0, { patienceMs: 30_000, everyMs: 2 });
  return { driver, calls, permitted, kept, idle, most: () => most };
}

suite('calls of nodes', () => {
  test('a call that is asked for again and again is one more at most, and its answer is kept as of when it was sent', async () => {
    const { driver, calls, kept, idle } = world();
    const beganMs = Date.now();
    for (let times = 0; times < 20; times++) driver.call('n', { call: 'report' });
    await idle();
    assert.ok(calls.length <= 2, `${calls.length} questions`);
    assert.ok(Date.parse(kept[0]?.observedAt ?? '') >= beganMs);
    assert.equal(kept[0]?.osVersion, '1.0');
  });

  test('a start is asked for with the permission that was written, for one boot and one system, and without it not at all', async () => {
    const permitted = world({ authorization });
    permitted.driver.call('n', { call: 'activate', target });
    await permitted.idle();
    const { bootId, rootHash, notAfter, nonce } = authorization;
    assert.deepEqual(permitted.permitted, [{ bootId, rootHash, notAfterMs: Date.parse(notAfter), nonce }]);
    for (const change of [{}, { authorization: { ...authorization, direction: 'Back' } }]) {
      const refused = world(change);
      refused.driver.call('n', { call: 'activate', target });
      await refused.idle();
      assert.deepEqual(refused.permitted, []);
      assert.equal(refused.kept[0]?.failure?.code, 'fleet/not-leading');
    }
  });

  test('a node that does not answer says nothing: what it said before stays, and it is counted', async () => {
    const { driver, kept, idle } = world({ silent: true });
    driver.call('n', { call: 'report' });
    await idle();
    assert.deepEqual([kept, [...driver.silent]], [[], ['n']]);
  });

  test('a node that stages for minutes is asked meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { driver, calls, kept, idle } = world({ staging: promise });
    driver.call('n', { call: 'stage', target });
    driver.call('n', { call: 'report' });
    await eventually(() => kept.length > 0, { patienceMs: 10_000, everyMs: 2 });
    assert.ok(!calls.includes('stage 1.1'));
    resolve();
    await idle();
    assert.ok(calls.includes('stage 1.1'));
  });
});
