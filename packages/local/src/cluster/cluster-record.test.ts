import assert from 'node:assert/strict';
import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { removeTree } from '@plinth/host';
import fc from 'fast-check';
import { checkMachineSpec } from '../machine-spec.ts';
import { memberAddress, memberCard } from './cluster-network.ts';
import {
  type ClusterRecord,
  changeCluster,
  findCluster,
  forgetCluster,
  listClusters,
  parseClusterRecord,
} from './cluster-record.ts';
import { type ClusterWish, growCluster, withoutMember } from './grow-cluster.ts';

const chance = { now: new Date('2026-11-22T00:00:00Z'), random: Uint8Array.of(1, 2, 3, 4) };
const wish: ClusterWish = { name: 'local', memoryMiB: 2048, cpus: 2, kubernetesVersion: '1.37.1' };
const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const names = ({ members }: ClusterRecord) => members.map(({ name }) => name);

test('a new cluster is one machine of its name, which takes workloads', () => {
  const record = growCluster(undefined, [], wish, chance);
  assert.deepEqual(names(record), ['local']);
  assert.equal(record.controlPlanesTakeWorkloads, true);
  assert.equal(memberAddress(record.network, { host: 11 }), '10.5.0.11');
  assert.deepEqual(memberCard(record.network, { host: 11 }), {
    group: '239.1.2.3',
    port: 20_400,
    mac: '52:54:00:05:00:0b',
  });
});

test('a cluster grows, keeps what it has, and gives a free place again', () => {
  const one = growCluster(undefined, [], wish, chance);
  const more = growCluster(one, [], { ...wish, controlPlanes: 3, workers: 2 }, chance);
  assert.deepEqual(names(more), ['local', 'local-cp-2', 'local-cp-3', 'local-worker-1', 'local-worker-2']);
  assert.equal(growCluster(more, [], wish, chance), more);
  const fewer = withoutMember(more, 'local-cp-2');
  assert.deepEqual(
    names(growCluster(fewer, [], { ...wish, controlPlanes: 3 }, chance)).sort(),
    names(more).sort(),
  );
});

test('several machines from the start all say what they are', () => {
  const record = growCluster(undefined, [], { ...wish, workers: 1 }, chance);
  assert.deepEqual(names(record), ['local-cp-1', 'local-worker-1']);
  assert.equal(record.controlPlanesTakeWorkloads, false);
});

for (const [title, change] of [
  ['no control plane', { controlPlanes: 0 }],
  ['more control planes than addresses', { controlPlanes: 10 }],
  ['a name that leaves the folder', { name: '../x' }],
  ['a name that leaves no room for machine names', { name: 'a'.repeat(21) }],
] as const) {
  test(`growCluster refuses ${title}`, () => {
    assert.throws(
      () => growCluster(undefined, [], { ...wish, ...change }, chance),
      withCode('cluster/bad-spec'),
    );
  });
}

test('growCluster never takes a machine away, nor one of another cluster', () => {
  const two = growCluster(undefined, [], { ...wish, workers: 1 }, chance);
  assert.throws(() => growCluster(two, [], { ...wish, workers: 0 }, chance), withCode('cluster/bad-spec'));
  const other = growCluster(undefined, [], { ...wish, name: 'local-cp-1' }, chance);
  assert.throws(
    () => growCluster(undefined, [other], { ...wish, workers: 1 }, chance),
    withCode('cluster/bad-spec'),
  );
});

test('all machines of all clusters have names, addresses and cards of their own that machines may have', () => {
  const size = fc.record({
    controlPlanes: fc.integer({ min: 1, max: 9 }),
    workers: fc.integer({ min: 0, max: 12 }),
  });
  fc.assert(
    fc.property(
      fc.array(size, { maxLength: 6 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      (sizes, random) => {
        const clusters: ClusterRecord[] = [];
        for (const [index, each] of sizes.entries()) {
          const name = `c${index}`;
          clusters.push(growCluster(undefined, clusters, { ...wish, ...each, name }, { ...chance, random }));
        }
        const all = clusters.flatMap(({ network, members }) =>
          members.map((member) => ({ name: member.name, network, member })),
        );
        for (const { name, network, member } of all) {
          const disk = { kind: 'raw', path: '/d' } as const;
          const clusterCard = memberCard(network, member);
          checkMachineSpec({ name, disk, firmware: 'uefi', tpm: false, clusterCard });
        }
        for (const value of [
          all.map(({ name }) => name),
          all.map(({ network, member }) => memberAddress(network, member)),
          all.map(({ network, member }) => memberCard(network, member).mac),
        ]) {
          assert.equal(new Set(value).size, all.length);
        }
      },
    ),
  );
});

test('a record is kept for its owner only, listed, and gone when forgotten', async () => {
  const root = join(await mkdtemp(join(tmpdir(), 'plinth-cluster-')), 'clusters');
  try {
    assert.deepEqual(await listClusters(root), []);
    const record = await changeCluster(
      'local',
      (before, all) => growCluster(before, all, wish, chance),
      root,
    );
    assert.deepEqual(await findCluster('local', root), record);
    assert.deepEqual(await listClusters(root), [record]);
    assert.equal((await stat(join(root, 'local', 'cluster.json'))).mode & 0o777, 0o600);
    await forgetCluster('local', root);
    await assert.rejects(findCluster('local', root), withCode('cluster/not-found'));
    assert.deepEqual(await readdir(root), []);
  } finally {
    await removeTree(join(root, '..'));
  }
});

test('parseClusterRecord refuses a record with any one field gone or of another kind, and any other text', () => {
  const record = growCluster(undefined, [], wish, chance);
  const isBad = withCode('cluster/bad-record');
  assert.deepEqual(parseClusterRecord(JSON.stringify(record), 'x'), record);
  for (const field of Object.keys(record)) {
    for (const value of [undefined, {}]) {
      assert.throws(() => parseClusterRecord(JSON.stringify({ ...record, [field]: value }), 'x'), isBad);
    }
  }
  const [member] = record.members;
  for (const field of Object.keys(member ?? {})) {
    const members = [{ ...member, [field]: {} }];
    assert.throws(() => parseClusterRecord(JSON.stringify({ ...record, members }), 'x'), isBad);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => parseClusterRecord(text, 'x'), isBad);
    }),
  );
});
