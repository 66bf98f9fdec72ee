import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeRole } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { readContexts } from './contexts-file.ts';
import { type NodeOutcome, onNodes, streamFromNodes } from './many-nodes.ts';

let fleet: FakeFleet;
before(async () => {
  fleet = await fakeFleet('cp1', 'w1', 'w2', 'w3');
  // Only cp1 and w1 are known here; the others are found through cp1.
  for (const name of ['w2', 'w3']) assert.equal((await fleet.plinth('config', 'remove', name)).exitCode, 0);
  for (const [name, node] of fleet.nodes) {
    node.role = name === 'cp1' ? NodeRole.CONTROL_PLANE : NodeRole.WORKER;
    node.labels = { zone: name === 'w3' ? 'b' : 'a', role: 'control-plane' };
  }
});
after(() => fleet[Symbol.asyncDispose]());

const options = { context: undefined, timeout: 5, nodes: undefined, selector: undefined, allNodes: false };

function context() {
  return { env: { PLINTHCONFIG: `${fleet.folder}/config` }, signal: new AbortController().signal };
}

async function collect<T>(outcomes: AsyncIterable<NodeOutcome<T>>): Promise<NodeOutcome<T>[]> {
  const all: NodeOutcome<T>[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}

test('contexts are dialled, the others are reached through the node of the context', async () => {
  assert.deepEqual(Object.keys((await readContexts(`${fleet.folder}/config`)).contexts), ['cp1', 'w1']);
  const outcomes = await collect(
    onNodes({ ...options, allNodes: true }, context(), async (node) => (await node.getIdentity()).nodeName),
  );
  const names = outcomes.map((one) => [one.node, one.ok && one.value]).sort();
  assert.deepEqual(
    names,
    ['cp1', 'w1', 'w2', 'w3'].map((name) => [name, name]),
  );
});

test('a table has a column for the node, data a field', async () => {
  const { stdout, exitCode } = await fleet.plinth('get', 'identity', '--nodes', 'w1,w3', '-o', 'json');
  assert.equal(exitCode, 0);
  assert.deepEqual(
    JSON.parse(stdout).map((one: { node: string; nodeName: string }) => [one.node, one.nodeName]),
    [
      ['w1', 'w1'],
      ['w3', 'w3'],
    ],
  );
  const shown = await fleet.plinth('get', 'identity', '--all-nodes');
  assert.match(shown.stdout, /^NODE {2}FACT {10}VALUE\ncp1 {3}node {10}cp1\n/);
  const layers = await fleet.plinth('get', 'kubernetes', '--nodes', 'w1,w2');
  assert.match(layers.stdout, /NODE {2}LAYER {3}SOURCE {2}ACTIVE {2}SIZE\nw1 {4}1\.37\.1/);
  assert.match(layers.stdout, /w2 {4}1\.36\.4/);
});

test('a selector chooses by labels; no label pretends to be a role', async () => {
  const names = async (...argv: string[]) =>
    (await fleet.plinth('get', 'identity', ...argv, '-o', 'json')).stdout;
  const nodesOf = (json: string) => JSON.parse(json).map(({ node }: { node: string }) => node);
  assert.deepEqual(nodesOf(await names('-l', 'role=worker,zone=a')), ['w1', 'w2']);
  assert.deepEqual(nodesOf(await names('--selector', 'role=control-plane')), ['cp1']);
  const none = await fleet.plinth('get', 'identity', '-l', 'zone=c');
  assert.equal(none.exitCode, 2);
});

test('one that fails is listed, the others are shown, the exit code is 5', async () => {
  const w2 = fleet.nodes.get('w2');
  assert.ok(w2);
  w2.before = async () => {
    throw new Error('it is ill');
  };
  const { stdout, exitCode } = await fleet.plinth('get', 'identity', '--all-nodes');
  assert.equal(exitCode, 5);
  assert.match(stdout, /w3 {4}node {10}w3/);
  assert.match(stdout, /failed {2}w2: Cannot call GetIdentity .*\[api\/failed\]/);
  const data = JSON.parse((await fleet.plinth('get', 'identity', '--all-nodes', '-o', 'json')).stdout);
  assert.deepEqual(data.at(-1).error.code, 'api/failed');
  const health = await fleet.plinth('health', '--nodes', 'w2,w3');
  assert.equal(health.exitCode, 5);
  const checked = JSON.parse((await fleet.plinth('health', '--nodes', 'w2,w3', '-o', 'json')).stdout);
  assert.deepEqual(
    checked.map((one: object) => Object.keys(one)),
    [
      ['node', 'error'],
      ['node', 'health'],
    ],
  );
  assert.deepEqual(Object.keys(checked[0].error), Object.keys(data.at(-1).error));
  const alone = await fleet.plinth('get', 'identity', '--nodes', 'w2');
  assert.equal(alone.exitCode, 1);
  w2.before = async () => {};
});

test('a slow one holds nobody, and ends with its own time', async () => {
  const w3 = fleet.nodes.get('w3');
  assert.ok(w3);
  w3.before = () => sleep(30_000, undefined, { ref: false });
  const startedMs = performance.now();
  const seen: [string, number][] = [];
  for await (const { node, ok } of onNodes({ ...options, allNodes: true, timeout: 2 }, context(), (one) =>
    one.getIdentity(),
  ))
    seen.push([`${node} ${ok}`, performance.now() - startedMs]);
  assert.equal(seen.at(-1)?.[0], 'w3 false');
  const others = seen.slice(0, -1).map(([, ms]) => ms);
  assert.ok(Math.max(...others) < 1_500, `${others}`);
  assert.ok((seen.at(-1)?.[1] ?? 0) >= 1_900);
  w3.before = async () => {};
});

test('who cannot be meant is said before anything is asked', async () => {
  for (const [argv, message] of [
    [['--nodes', 'w1,w9'], /"w9" is neither a context nor a node/],
    [['--nodes', 'w1', '--all-nodes'], /exclude each other/],
    [['-l', 'a b'], /value of --selector/],
  ] as const) {
    const { stderr, exitCode } = await fleet.plinth('get', 'identity', ...argv);
    assert.equal(exitCode, 2);
    assert.match(stderr, message);
  }
});

test('a false identity in the list of peers is found out', async () => {
  const peer = fleet.world.peers.get('w2');
  assert.ok(peer);
  fleet.world.peers.set('w2', { ...peer, role: NodeRole.WORKER, labels: {}, nodeId: '0'.repeat(32) });
  const { exitCode, stdout } = await fleet.plinth('get', 'identity', '--nodes', 'w1,w2');
  assert.equal(exitCode, 5);
  assert.match(stdout, /w2: Cannot trust .*node id is .*\[api\/identity-mismatch\]/);
  fleet.world.peers.set('w2', peer);
});

test('streams merge with the node on each item; one that breaks does not end the others', async () => {
  const outcomes = await collect(
    streamFromNodes({ ...options, nodes: 'w1,w2,w3' }, context(), async function* (_node, name) {
      for (let item = 0; item < 3; item++) {
        await sleep(5);
        if (name === 'w2' && item === 1) throw new Error('broken');
        yield item;
      }
    }),
  );
  const of = (node: string) => outcomes.filter((one) => one.node === node).map((one) => one.ok && one.value);
  assert.deepEqual(
    [of('w1'), of('w2'), of('w3')],
    [
      [0, 1, 2],
      [0, false],
      [0, 1, 2],
    ],
  );
});

test('a reader that has enough ends every stream', async () => {
  let open = 0;
  for await (const { ok } of streamFromNodes({ ...options, nodes: 'w1,w3' }, context(), async function* () {
    open++;
    try {
      for (;;) {
        await sleep(1);
        yield 1;
      }
    } finally {
      open--;
    }
  }))
    if (ok && open === 2) break;
  await eventually(() => assert.equal(open, 0));
});

test('get peers shows who can be named', async () => {
  const { stdout } = await fleet.plinth('get', 'peers');
  assert.match(stdout, /NAME {2}ROLE +ADDRESS +SELF\ncp1 {3}control-plane {2}192\.0\.2\.7 {2}yes/);
});
