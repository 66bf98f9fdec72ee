import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActKind } from '@plinth/api';
import { PlinthError, silentProgress } from '@plinth/base';
import { type ClusterRecord, growCluster, type ObservedMember } from '@plinth/local';
import { type ClusterActs, leadCluster } from './lead-cluster.ts';

const record: ClusterRecord = growCluster(
  undefined,
  [],
  { name: 'local', controlPlanes: 3, workers: 2, memoryMiB: 2048, cpus: 2, kubernetesVersion: '1.37.1' },
  { now: new Date(0), random: Uint8Array.of(1, 2, 3, 4) },
);

/** Machines and nodes that remember; `breaks` names acts that fail once. */
class FakeCluster implements ClusterActs {
  readonly log: string[] = [];
  readonly breaks: Set<string>;
  readonly #seen = new Map<string, ObservedMember>();
  #booting = 0;
  mostBooting = 0;

  constructor(breaks: readonly string[] = []) {
    this.breaks = new Set(breaks);
    for (const { name } of record.members) this.#seen.set(name, { name, machine: 'absent' });
  }

  readonly observe = async () => [...this.#seen.values()];

  readonly start: ClusterActs['start'] = async ({ name }) => {
    this.#booting++;
    this.mostBooting = Math.max(this.mostBooting, this.#booting);
    await new Promise((resolve) => setImmediate(resolve));
    this.#booting--;
    this.#do(`start ${name}`);
    this.#seen.set(name, { name, machine: 'running', node: { membership: 'none' } });
  };

  readonly resume: ClusterActs['resume'] = async (name) => {
    const before = this.#seen.get(name);
    if (before) this.#seen.set(name, { ...before, machine: 'running' });
  };

  readonly bootstrap: ClusterActs['bootstrap'] = async ({ name }) => {
    this.#do(`bootstrap ${name}`);
    this.#set(name, 'pending', 'bootstrap', 'running');
  };

  readonly join: ClusterActs['join'] = async ({ name }, inviter) => {
    this.#do(`join ${name} by ${inviter}`);
    this.#set(name, 'pending', 'join', 'running');
  };

  readonly follow: ClusterActs['follow'] = async (name, kind) => {
    const word = kind === ActKind.BOOTSTRAP ? 'bootstrap' : 'join';
    if (this.breaks.delete(name)) {
      this.#set(name, 'pending', word, 'failed');
      throw new PlinthError('cluster/act-failed', 'x');
    }
    this.#set(name, 'member', word, 'done');
  };

  #do(what: string): void {
    this.log.push(what);
    if (this.breaks.delete(what)) throw new PlinthError('vm/qemu-failed', 'x');
  }

  #set(
    name: string,
    membership: 'pending' | 'member',
    kind: 'bootstrap' | 'join',
    state: 'running' | 'done' | 'failed',
  ): void {
    this.#seen.set(name, { name, machine: 'running', node: { membership, act: { kind, state } } });
  }
}

const joins = ({ log }: FakeCluster) => log.filter((line) => !line.startsWith('start'));
const ORDER = [
  'bootstrap local-cp-1',
  'join local-cp-2 by local-cp-1',
  'join local-cp-3 by local-cp-1',
  'join local-worker-1 by local-cp-1',
  'join local-worker-2 by local-cp-1',
];

test('leadCluster starts a few machines at a time and leads all of them in, in order', async () => {
  const cluster = new FakeCluster();
  const phases = await leadCluster(record, cluster, silentProgress, 2);
  assert.deepEqual(joins(cluster), ORDER);
  assert.equal(cluster.mostBooting, 2);
  assert.deepEqual(
    phases.map(({ name }) => name),
    ['machines', 'bootstrap', 'join'],
  );
});

for (const broken of [
  'start local-cp-2',
  'bootstrap local-cp-1',
  'local-cp-1',
  'local-cp-3',
  'local-worker-2',
]) {
  test(`leadCluster after a failure at "${broken}" goes on where it stopped`, async () => {
    const cluster = new FakeCluster([broken]);
    await assert.rejects(leadCluster(record, cluster, silentProgress, 2), PlinthError);
    await leadCluster(record, cluster, silentProgress, 2);
    assert.deepEqual([...new Set(joins(cluster))], ORDER);
    const again = cluster.log.length;
    await leadCluster(record, cluster, silentProgress, 2);
    assert.equal(cluster.log.length, again, 'a third call does nothing');
  });
}
