import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectHealth } from '../../health/collect-health.ts';
import { memoryStore } from '../../sys/state-store.ts';
import { fakeProbe, soundMember } from '../../testing/fake-cluster.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { completeClusterSpec } from '../cluster-spec.ts';
import type { Member } from '../node/member.ts';
import { openHealthView } from './open-health-view.ts';

const given = { name: 'prod', podNetwork: '', serviceNetwork: '10.97.0.0/16', dnsDomain: 'prod.local' };
const member: Member = {
  state: 'member',
  role: 'control-plane',
  cluster: completeClusterSpec({ ...given, controlPlanesTakeWorkloads: true, apiServerNames: [] }),
  version: '1.37.1',
  nodeAddress: '10.0.2.15',
  apiServers: ['10.0.2.15:6443'],
};
const etcd = { observe: () => Promise.reject(new Error('etcd is away')) };
const viewOf = (facts: () => Promise<{ member: Member | undefined }>) =>
  openHealthView(
    { sys: fakeSys(soundMember()), store: memoryStore('a test'), nodeName: 'n1' },
    facts,
    etcd,
  )();

test('only a member has a view of the cluster', async () => {
  assert.equal(await viewOf(async () => ({ member: undefined })), undefined);
  assert.equal(await viewOf(async () => ({ member: { ...member, state: 'left' } })), undefined);
  assert.equal(await viewOf(() => Promise.reject(new Error('damaged'))), undefined);
  assert.deepEqual((await viewOf(async () => ({ member })))?.member, {
    ...{ role: 'control-plane', version: '1.37.1', nodeAddress: '10.0.2.15' },
    ...{ dnsAddress: '10.97.0.10', dnsDomain: 'prod.local' },
  });
});

test('a member whose cluster does not answer is told from, check by check, without a secret', async () => {
  const sys = fakeSys(soundMember());
  const health = await collectHealth(sys, [], await viewOf(async () => ({ member })), fakeProbe());
  const bad = health.checks.filter(({ verdict }) => verdict !== 'pass');
  assert.ok(bad.every(({ verdict }) => verdict === 'unknown'));
  const ids = bad.map(({ id }) => id);
  for (const id of ['node-ready', 'api-server', 'static-pods', 'etcd-quorum'])
    assert.ok(ids.includes(id), id);
  // Its own API server is the only one: there is no clock to differ from.
  assert.ok(!ids.includes('time-skew'));
  assert.match(bad.find(({ id }) => id === 'etcd-quorum')?.observed ?? '', /etcd is away/);
  assert.ok(!JSON.stringify(health).includes('BEGIN'));
});
