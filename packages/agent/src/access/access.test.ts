import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  connectNode,
  EtcdService,
  fingerprintOf,
  type NodeClient,
  NodeService,
  type RevocationsSchema,
  revocationsToSign,
  RevocationsSchema as Schema,
  SignedRevocationsSchema,
} from '@plinth/api';
import { codeOf } from '@plinth/host/testing';
import { openIdentity } from '../identity/open-identity.ts';
import type { AuditRecord } from '../server/audit.ts';
import type { AccessRules } from '../server/guard.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import { type ClientCredentials, makeAuthority } from '../testing/authority.ts';
import { accessRules } from './access-rules.ts';
import { accessService } from './access-service.ts';
import { openAccess } from './open-access.ts';

const [oldAuthority, newAuthority, stranger] = [
  makeAuthority('old'),
  makeAuthority('new'),
  makeAuthority('other'),
];
const both = [oldAuthority.certificatePem, newAuthority.certificatePem];
const admin = newAuthority.issue({ organisations: ['plinth:admin'], commonName: 'root' });
const records: AuditRecord[] = [];
const listeners: Listener[] = [];
let identity: Awaited<ReturnType<typeof openIdentity>>;

before(async () => {
  identity = await openIdentity(memoryStore('a test'), 'node-1');
});
after(async () => {
  for (const listener of listeners) await listener.close();
  for (const authority of [oldAuthority, newAuthority, stranger]) authority[Symbol.dispose]();
});

/** A node that accepts these authorities and keeps its list in this store. */
async function startNode(
  store: StateStore = memoryStore('a test'),
  authorities: readonly string[] = both,
  rules: AccessRules = { roles: [], node: { name: 'node-1', labels: {} } },
) {
  const access = await openAccess(store, authorities);
  const listener: Listener = await serve({
    ...{ port: 0, bindAddress: '127.0.0.1', clientAuthoritiesPem: authorities },
    ...{ certificatePem: identity.certificatePem, privateKeyPem: identity.privateKeyPem },
    audit: (record) => records.push(record),
    nowMs: Date.now,
    refuses: access.refuses,
    rules,
    routes: (router) => {
      router.service(NodeService, { getVersions: () => ({}) });
      router.service(EtcdService, {
        async *snapshotEtcd(_request, { signal }) {
          yield { chunk: new Uint8Array(1), remainingBytes: 1n };
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      });
      accessService(access, () => listener.recheck())(router);
    },
  });
  listeners.push(listener);
  return {
    access,
    client: ({ certificatePem, keyPem }: ClientCredentials): NodeClient =>
      connectNode({
        ...{
          address: '127.0.0.1',
          port: listener.port,
          fingerprint: identity.fingerprint,
          timeoutMs: 60_000,
        },
        ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
      }),
  };
}

function signed(list: MessageInitShape<typeof RevocationsSchema>, authority = newAuthority) {
  const bytes = toBinary(Schema, create(Schema, list));
  return { list: bytes, signature: sign('sha256', revocationsToSign(bytes), authority.keyPem) };
}

function fingerprint({ certificatePem }: ClientCredentials): string {
  return fingerprintOf(Buffer.from(certificatePem.split('-----')[2] ?? '', 'base64'));
}

const revoke = (version: bigint, ...clients: ClientCredentials[]) => ({
  version,
  revocations: clients.map((client) => ({
    certificate: { case: 'fingerprint' as const, value: fingerprint(client) },
    reason: 'the laptop is lost',
  })),
});

test('a revoked certificate is refused with its reason, also on a connection that is open', async () => {
  const node = await startNode();
  const alice = oldAuthority.issue({ organisations: ['plinth:admin'] });
  const other = oldAuthority.issue({ commonName: 'carol' });
  using client = node.client(alice);
  using bystander = node.client(other);
  using root = node.client(admin);
  await client.getVersions();
  await bystander.getVersions();
  const follow = async () => {
    for await (const _ of client.etcd.snapshot(60_000));
  };
  const following = codeOf(follow());
  await sleep(100);
  const answer = await root.access.putRevocations(signed(revoke(1n, alice)));
  assert.deepEqual([answer.version, answer.endedConnections, answer.persistent], [1n, 1, false]);
  assert.notEqual(await following, 'ok');
  await assert.rejects(client.getVersions(), /the certificate is revoked: the laptop is lost/);
  await bystander.getVersions();
  const record = records.findLast(({ caller }) => caller === 'alice');
  assert.deepEqual(
    [record?.result, record?.reason],
    ['permission_denied', 'the certificate is revoked: the laptop is lost'],
  );
});

test('a name is revoked up to a time: certificates made later are accepted', async () => {
  const node = await startNode();
  const early = oldAuthority.issue({ commonName: 'bob' });
  using client = node.client(early);
  using root = node.client(admin);
  const list = (untilMs: number, version: bigint) =>
    signed({
      version,
      revocations: [{ certificate: { case: 'name', value: 'bob' }, issuedUntil: timestampFromMs(untilMs) }],
    });
  // Certificates of the test begin in 2020.
  await root.access.putRevocations(list(Date.UTC(2019, 0), 1n));
  await client.getVersions();
  await root.access.putRevocations(list(Date.UTC(2021, 0), 2n));
  assert.equal(await codeOf(client.getVersions()), 'api/forbidden');
});

test('a node never goes back to an older list, takes the same one again, and none of a stranger', async () => {
  const node = await startNode();
  const alice = oldAuthority.issue();
  using root = node.client(admin);
  const second = signed(revoke(2n, alice));
  await root.access.putRevocations(second);
  await root.access.putRevocations(second);
  assert.equal(await codeOf(root.access.putRevocations(signed(revoke(1n)))), 'access/revocations-old');
  assert.equal(await codeOf(root.access.putRevocations(signed(revoke(2n)))), 'access/revocations-old');
  assert.equal(
    await codeOf(root.access.putRevocations(signed(revoke(3n), stranger))),
    'access/revocations-unsigned',
  );
  const { list } = second;
  const signature = Buffer.from(second.signature);
  const bent = Uint8Array.from(list, (byte, index) => (index === list.length - 1 ? byte ^ 1 : byte));
  assert.equal(
    await codeOf(root.access.putRevocations({ list: bent, signature })),
    'access/revocations-unsigned',
  );
  assert.equal(
    await codeOf(root.access.putRevocations(signed({ version: 4n, revocations: [{ reason: 'nobody' }] }))),
    'access/revocations-invalid',
  );
  using reader = node.client(oldAuthority.issue({ commonName: 'eve' }));
  assert.equal(await codeOf(reader.access.putRevocations(signed(revoke(9n)))), 'api/forbidden');
  assert.equal((await reader.access.get()).authorities.length, 2);
});

test('the list is there after a restart, also when its authority has gone; a damaged one is said', async () => {
  const store = memoryStore('a test');
  const alice = oldAuthority.issue();
  const first = await startNode(store);
  using root = first.client(admin);
  await root.access.putRevocations(signed(revoke(5n, alice), oldAuthority));
  const again = await openAccess(store, [newAuthority.certificatePem]);
  assert.equal(again.current()?.list.version, 5n);
  assert.equal(again.concern(), undefined);
  const data = await store.read('access/revocations');
  await store.write('access/revocations', Buffer.from(data ?? '').subarray(0, 9));
  const damaged = await openAccess(store, both);
  assert.match(damaged.concern() ?? '', /cannot be read/);
});

test('an authority is changed without a moment in which nobody can call', async () => {
  const [before_, after_] = [oldAuthority.issue(), newAuthority.issue()];
  const codes = async (authorities: readonly string[]) => {
    const node = await startNode(memoryStore('a test'), authorities);
    using old = node.client(before_);
    using fresh = node.client(after_);
    return [await codeOf(old.getVersions()), await codeOf(fresh.getVersions())];
  };
  assert.deepEqual(await codes([oldAuthority.certificatePem]), ['ok', 'api/forbidden']);
  assert.deepEqual(await codes(both), ['ok', 'ok']);
  assert.deepEqual(await codes([newAuthority.certificatePem]), ['api/forbidden', 'ok']);
});

test('a role of the machine config may call its methods, on its nodes, and is recorded by its name', async () => {
  const versions = ['NodeService.GetV*'];
  const start = (nodes: readonly string[]) => {
    const roles = [{ name: 'version-reader', methods: versions, nodes: [...nodes] }];
    return startNode(memoryStore('a test'), both, accessRules(roles, 'node-1'));
  };
  const own = oldAuthority.issue({ organisations: ['version-reader'], commonName: 'own' });
  const here = await start(['node-*']);
  using client = here.client(own);
  await client.getVersions();
  assert.equal(records.findLast(({ caller }) => caller === 'own')?.role, 'version-reader');
  await assert.rejects(client.access.get(), /the role version-reader does not have AccessService.GetAccess/);
  using elsewhere = (await start(['worker-*'])).client(own);
  await assert.rejects(elsewhere.getVersions(), /does not hold on this node/);
  using unknown = (await startNode()).client(own);
  assert.equal(await codeOf(unknown.getVersions()), 'api/forbidden');
});

test('a role holds where the labels of the machine config are those it names, as they are at the call', async () => {
  let labels: Readonly<Record<string, string>> = { rack: '4', disk: 'fast' };
  const roles = [{ name: 'rack-reader', methods: ['NodeService.GetV*'], nodeLabels: { rack: '4' } }];
  const rules = accessRules(roles, 'node-1', () => labels);
  const node = await startNode(memoryStore('a test'), both, rules);
  using client = node.client(oldAuthority.issue({ organisations: ['rack-reader'], commonName: 'rack' }));
  await client.getVersions();
  labels = { rack: '5' };
  await assert.rejects(client.getVersions(), /does not hold on this node/);
  labels = {};
  await assert.rejects(client.getVersions(), /does not hold on this node/);
});

test('a list is taken whatever kinds of keys the authorities have', async () => {
  using edwards = makeAuthority('edwards', ['ED25519']);
  const access = await openAccess(memoryStore('a test'), [edwards.certificatePem, ...both]);
  await access.put(create(SignedRevocationsSchema, signed({ version: 1n })));
  const bytes = toBinary(Schema, create(Schema, { version: 2n }));
  const signature = sign(null, revocationsToSign(bytes), edwards.keyPem);
  await access.put(create(SignedRevocationsSchema, { list: bytes, signature }));
  assert.equal(access.current()?.list.version, 2n);
});

test('of two lists at the same time the newer one is kept', async () => {
  const memory = memoryStore('a test');
  let delayMs = 30;
  const store: StateStore = {
    ...memory,
    async write(name, data) {
      const waitMs = delayMs;
      delayMs = 0;
      await sleep(waitMs);
      await memory.write(name, data);
    },
  };
  const access = await openAccess(store, both);
  const put = (version: bigint) => access.put(create(SignedRevocationsSchema, signed({ version })));
  await Promise.all([put(1n), put(2n)]);
  assert.equal((await openAccess(memory, both)).current()?.list.version, 2n);
});
