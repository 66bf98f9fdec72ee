import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from '@connectrpc/connect';
import { EtcdService, FailureSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type Role, roles } from '../server/caller.ts';
import { callerKey, guard } from '../server/guard.ts';
import type { EtcdOperations } from './etcd-operations.ts';
import { etcdService } from './etcd-service.ts';

const status = {
  id: 'ab',
  leader: 'ab',
  version: '3.7.0',
  dbSizeBytes: 100,
  dbInUseBytes: 50,
  revision: 7,
  quotaBytes: 1000,
  errors: [],
};
const member = {
  id: 'ab',
  name: 'n1',
  learner: false,
  healthy: true,
  peerUrl: 'https://192.0.2.1:2380',
  clientUrl: 'https://192.0.2.1:2379',
  leader: true,
  problem: '',
  status,
};

/** A cluster of one that answers, one that does not, and a learner; what is done to it is noted. */
function fakeEtcd() {
  const done: string[] = [];
  const etcd: EtcdOperations = {
    observe: async () => ({ ownId: 'ab', members: [member], alarms: [], quotaBytes: 1000 }),
    listMembers: async () => [
      member,
      { ...member, id: 'cd', name: 'n2', healthy: false, leader: false, problem: 'gone', status: undefined },
      { ...member, id: 'ef', name: 'n3', learner: true, leader: false },
    ],
    judgeOwnLoss: async () => ({ ok: true }),
    async removeMember(id, override) {
      if (override !== 'n1')
        throw new PlinthError('etcd/quorum-at-risk', 'Cannot remove member ab: no quorum');
      done.push(`remove ${id}`);
    },
    defragment: async () => ({ beforeBytes: 9, afterBytes: 4, durationMs: 1500 }),
    async *snapshot() {
      yield { bytes: Buffer.from('ab'), remainingBytes: 1 };
      yield { bytes: Buffer.from('c'), remainingBytes: 0 };
      throw new PlinthError('etcd/snapshot-damaged', 'Cannot use the snapshot: x, expected y');
    },
    async restore(confirm, sizeBytes, pieces) {
      const all: Uint8Array[] = [];
      for await (const piece of pieces) all.push(piece);
      done.push(`restore ${confirm} ${sizeBytes} ${Buffer.concat(all)}`);
      return 12;
    },
  };
  const transport = createRouterTransport(etcdService(etcd), {
    // The bound of plinthd's other calls.
    router: { interceptors: [identify, guard(() => {}, Date.now)], maxTimeoutMs: 60_000 },
  });
  return { client: createClient(EtcdService, transport), done };
}

/** The role a call is made with; the transport of tests has no TLS to take it from. */
const identify: Interceptor = (next) => (request) => {
  const role = roles.find((name) => name === request.header.get('x-role'));
  if (role) request.contextValues.set(callerKey, { ok: true, caller: { commonName: 'a', role } });
  return next(request);
};
const as = (role: Role) => ({ headers: { 'x-role': role } });

test('every role sees the members, with quorum and who answers', async () => {
  const { client } = fakeEtcd();
  for (const role of roles) {
    const { members, quorum, healthy } = await client.listEtcdMembers({}, as(role));
    assert.deepEqual([quorum, healthy], [2, 1]);
    assert.deepEqual(
      members.map(({ name, healthy, dbSizeBytes, version, problem }) => ({
        name,
        healthy,
        dbSizeBytes,
        version,
        problem,
      })),
      [
        { name: 'n1', healthy: true, dbSizeBytes: 100n, version: '3.7.0', problem: '' },
        { name: 'n2', healthy: false, dbSizeBytes: 0n, version: '', problem: 'gone' },
        { name: 'n3', healthy: true, dbSizeBytes: 100n, version: '3.7.0', problem: '' },
      ],
    );
  }
});

test('everything else is for admins only', async () => {
  const { client, done } = fakeEtcd();
  const denied = (reason: unknown) => ConnectError.from(reason).code === Code.PermissionDenied;
  for (const role of ['plinth:reader', 'plinth:operator'] as const) {
    await assert.rejects(client.removeEtcdMember({ id: 'ab', override: 'n1' }, as(role)), denied);
    await assert.rejects(client.defragmentEtcd({}, as(role)), denied);
    await assert.rejects(client.snapshotEtcd({}, as(role))[Symbol.asyncIterator]().next(), denied);
    await assert.rejects(client.restoreEtcd(restoreMessages(), as(role)), denied);
  }
  assert.deepEqual(done, []);
});

async function* restoreMessages() {
  yield { confirm: 'n1', sizeBytes: 3n };
  yield { chunk: Buffer.from('ab') };
  yield { chunk: Buffer.from('c') };
}

test('an admin changes, copies and restores', async () => {
  const { client, done } = fakeEtcd();
  const admin = as('plinth:admin');
  await client.removeEtcdMember({ id: 'ab', override: 'n1' }, admin);
  const { beforeBytes, afterBytes, duration } = await client.defragmentEtcd({}, admin);
  assert.deepEqual([beforeBytes, afterBytes, duration?.seconds, duration?.nanos], [9n, 4n, 1n, 500_000_000]);
  assert.equal((await client.restoreEtcd(restoreMessages(), admin)).revision, 12n);
  assert.deepEqual(done, ['remove ab', 'restore n1 3 abc']);
  const pieces: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { chunk } of client.snapshotEtcd({}, admin))
        pieces.push(Buffer.from(chunk).toString());
    },
    (reason) => ConnectError.from(reason).findDetails(FailureSchema)[0]?.code === 'etcd/snapshot-damaged',
  );
  assert.deepEqual(pieces, ['ab', 'c']);
});

test('a refusal says why, with its code', async () => {
  const { client } = fakeEtcd();
  await assert.rejects(client.removeEtcdMember({ id: 'ab' }, as('plinth:admin')), (reason) => {
    const error = ConnectError.from(reason);
    const [said] = error.findDetails(FailureSchema);
    assert.equal(error.code, Code.FailedPrecondition);
    assert.equal(said?.code, 'etcd/quorum-at-risk');
    assert.match(said.message, /no quorum/);
    return true;
  });
  await assert.rejects(client.removeEtcdMember({ id: '../x' }, as('plinth:admin')), (reason) => {
    return ConnectError.from(reason).code === Code.InvalidArgument;
  });
});

test('a call may take as long as a large database needs', async () => {
  const { client } = fakeEtcd();
  const patient = { headers: { 'x-role': 'plinth:admin' }, timeoutMs: 30 * 60_000 };
  assert.equal((await client.defragmentEtcd({}, patient)).beforeBytes, 9n);
  await assert.rejects(client.defragmentEtcd({}, { ...patient, timeoutMs: 2 * 60 * 60_000 }));
});
