import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryStore } from '../../sys/state-store.ts';
import {
  type Health,
  nextState,
  orderServers,
  type ServerState,
  type Sight,
  UNSEEN,
} from './server-health.ts';
import { keepServers, parseServer, readServers, usableServers } from './server-list.ts';

const sights = fc.constantFrom<Sight>('ready', 'unready', 'no-answer', 'refused', 'connected');
const after = (seen: readonly Sight[]): ServerState => seen.reduce(nextState, UNSEEN);

test('a server is ready only after a probe said so, and not after it was gone', () => {
  fc.assert(
    fc.property(fc.array(sights, { maxLength: 20 }), (seen) => {
      if (after(seen).health !== 'ready') return;
      const since = seen.slice(seen.lastIndexOf('ready') + 1);
      assert.ok(seen.includes('ready'));
      assert.ok(!since.includes('unready') && !since.includes('refused'));
    }),
  );
});

test('one missed answer kills no server, two in a row and a refusal do, a probe brings it back', () => {
  fc.assert(
    fc.property(fc.array(sights, { maxLength: 20 }), (seen) => {
      assert.equal(after([...seen, 'ready']).health, 'ready');
      assert.equal(after([...seen, 'ready', 'no-answer']).health, 'ready');
      assert.equal(after([...seen, 'no-answer', 'no-answer']).health, 'dead');
      assert.equal(after([...seen, 'refused']).health, 'dead');
      assert.notEqual(after([...seen, 'refused', 'connected']).health, 'dead');
    }),
  );
});

test('every server is tried once, the healthier before the other, the own first among equals', () => {
  const names = ['a', 'b', 'c', 'd'];
  const healths = fc.constantFrom<Health>('ready', 'unknown', 'unready', 'dead');
  const rank = ['ready', 'unknown', 'unready', 'dead'];
  fc.assert(
    fc.property(
      fc.subarray(names),
      fc.tuple(healths, healths, healths, healths),
      fc.option(fc.constantFrom(...names), { nil: undefined }),
      fc.nat(100),
      (servers, health, own, turn) => {
        const healthOf = (server: string) => health[names.indexOf(server)] ?? 'dead';
        const order = orderServers(servers, healthOf, { own, turn });
        assert.deepEqual([...order].sort(), [...servers].sort());
        const ranks = order.map((server) => rank.indexOf(healthOf(server)));
        assert.deepEqual(ranks, ranks.toSorted());
        const equals = order.filter((server) => own !== undefined && healthOf(server) === healthOf(own));
        if (own !== undefined && servers.includes(own)) assert.equal(equals[0], own);
      },
    ),
  );
});

test('equal servers take turns', () => {
  const first = [0, 1, 2, 3].map(
    (turn) => orderServers(['a', 'b'], () => 'ready', { own: undefined, turn })[0],
  );
  assert.deepEqual(first, ['a', 'b', 'a', 'b']);
});

test('a server is an IP address with a port', () => {
  assert.deepEqual(parseServer('192.0.2.1:6443'), { host: '192.0.2.1', port: 6443 });
  assert.deepEqual(parseServer('[2001:db8::1]:6443'), { host: '2001:db8::1', port: 6443 });
  for (const bad of [
    '',
    'a:1',
    '192.0.2.1',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '2001:db8::1:6443',
    '[192.0.2.1]:1',
    '1.2.3:4',
  ])
    assert.equal(parseServer(bad), undefined, bad);
  fc.assert(fc.property(fc.string(), (text) => usableServers([text]).length <= 1));
  assert.equal(usableServers(Array.from({ length: 99 }, (_, port) => `192.0.2.1:${port + 1}`)).length, 16);
});

test('the list outlives a restart, and a damaged one is no list', async () => {
  const store = memoryStore('a test');
  assert.deepEqual(await readServers(store), []);
  await keepServers(store, ['192.0.2.1:6443', '[2001:db8::1]:6443']);
  assert.deepEqual(await readServers(store), ['192.0.2.1:6443', '[2001:db8::1]:6443']);
  for (const bad of ['', '{', '{"servers":[1]}', '{"servers":["x:y"]}']) {
    await store.write('kubernetes/api-servers.json', Buffer.from(bad));
    assert.deepEqual(await readServers(store), []);
  }
});
