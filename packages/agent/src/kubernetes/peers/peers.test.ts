import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { memoryStore } from '../../sys/state-store.ts';
import type { Peer } from '../../tunnel/peers.ts';
import type { Member } from '../node/member.ts';
import { openPeerBook } from './open-peer-book.ts';
import { parsePeers, peerListText } from './peer-list.ts';

const record = fc.record({
  nodeId: fc.stringMatching(/^[0-9a-f]{32}$/),
  nodeName: fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/),
  nodeAddress: fc.ipV4(),
  role: fc.constantFrom('control-plane' as const, 'worker' as const),
});
const labels = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[a-z0-9]{0,8}$/), {
  maxKeys: 4,
});

test('what is published is read as the same, and the order of records changes nothing', () => {
  fc.assert(
    fc.property(fc.uniqueArray(record, { selector: ({ nodeName }) => nodeName }), labels, (records, some) => {
      const byName = new Map(records.map(({ nodeName }) => [nodeName, some]));
      const text = peerListText(records, byName);
      assert.equal(peerListText(records.toReversed(), byName), text);
      const peers = parsePeers(text);
      assert.deepEqual(
        peers.map(({ name, nodeId, address, role }) => [name, nodeId, address, role]),
        records
          .map(({ nodeName, nodeId, nodeAddress, role }) => [nodeName, nodeId, nodeAddress, role])
          .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      );
      for (const peer of peers) assert.deepEqual({ ...peer.labels }, { ...some });
    }),
  );
});

test('a list of many nodes with many labels stays below what an object may hold', () => {
  const long = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`label-${n}`, 'x'.repeat(60)]));
  const records = Array.from({ length: 5_000 }, (_, n) => ({
    ...{ nodeId: 'a'.repeat(32), nodeName: `node-${n}`, nodeAddress: '192.0.2.1', role: 'worker' as const },
  }));
  const text = peerListText(records, new Map(records.map(({ nodeName }) => [nodeName, long])));
  assert.ok(text.length < 900_000, `${text.length}`);
  assert.equal(parsePeers(text).length, 5_000);
});

test('what is no list of peers is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      fc.pre(text.trim() !== '[]');
      assert.throws(() => parsePeers(text), { code: 'kubernetes/api-answer-invalid' });
    }),
  );
});

const peer: Peer = { name: 'a', nodeId: 'x', address: '192.0.2.1', role: 'worker', labels: {} };
const member: Member = {
  ...{ state: 'member', role: 'worker', version: '1.37.1', nodeAddress: '192.0.2.1', apiServers: [] },
  cluster: {
    ...{ name: 'c', podNetwork: '10.244.0.0/16', serviceNetwork: '10.96.0.0/16', dnsDomain: 'cluster.local' },
    ...{ controlPlanesTakeWorkloads: false, apiServerNames: [] },
  },
};

function book(read: () => Promise<readonly Peer[]>, store = memoryStore('a test')) {
  const clock = { ms: 100_000 };
  const facts = { member: member as Member | undefined };
  const peers = openPeerBook({ store, nowMs: () => clock.ms, facts: async () => facts, read });
  return { peers, clock, facts, store };
}

const silent = async (): Promise<readonly Peer[]> => {
  throw new PlinthError('kubernetes/api-unreachable', 'Cannot read: no connection');
};

test('many questions at once are one question; an answer is good for seconds', async () => {
  let asked = 0;
  const { peers, clock } = book(async () => {
    asked++;
    return [peer];
  });
  await Promise.all(Array.from({ length: 20 }, () => peers.list()));
  assert.equal(asked, 1);
  clock.ms += 4_000;
  await peers.list();
  assert.equal(asked, 1);
  clock.ms += 2_000;
  assert.equal((await peers.list()).observedAtMs, 106_000);
  assert.equal(asked, 2);
  clock.ms -= 60_000; // a clock that was set back does not keep an answer for longer
  await peers.list();
  assert.equal(asked, 3);
});

test('a cluster that does not answer is remembered, over a restart too, and said', async () => {
  let read: () => Promise<readonly Peer[]> = async () => [peer];
  let asked = 0;
  const ask = () => {
    asked++;
    return read();
  };
  const { peers, clock, store } = book(ask);
  await peers.list();
  read = silent;
  clock.ms += 10_000;
  const later = await peers.list();
  assert.deepEqual([later.peers, later.observedAtMs], [[peer], 100_000]);
  assert.match(later.problem, /no connection/);
  await peers.list();
  assert.equal(asked, 2, 'a silent cluster is not asked again for each tunnel');
  const restarted = await book(silent, store).peers.list();
  assert.deepEqual([restarted.peers.map(({ name }) => name), restarted.observedAtMs], [['a'], undefined]);
  await store.write('kubernetes/peers.json', Buffer.from('{'));
  assert.deepEqual((await book(silent, store).peers.list()).peers, []);
});

test('a node of no cluster has no peers, whatever it once knew', async () => {
  const { peers, facts, clock } = book(async () => [peer]);
  await peers.list();
  facts.member = { ...member, state: 'left' };
  clock.ms += 10_000;
  assert.deepEqual(await peers.list(), { peers: [], observedAtMs: undefined, problem: '' });
});
