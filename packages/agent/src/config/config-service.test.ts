import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from '@connectrpc/connect';
import { CONFIG_LIMIT_BYTES, ConfigMode, ConfigOutcome, ConfigService, FailureSchema } from '@plinth/api';
import { parseConfig } from '@plinth/config';
import type { AuditRecord } from '../server/audit.ts';
import { type Role, roles } from '../server/caller.ts';
import { callerKey, openGuard } from '../server/guard.ts';
import { makeAuthority } from '../testing/authority.ts';
import { World } from '../testing/config-world.ts';
import { configService } from './config-service.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

const PASSWORD = 'correct-horse-battery';

function configText(password = PASSWORD, address = '10.0.1.1/24'): Buffer {
  const documents = [
    { kind: 'Machine', name: 'node-1' },
    { kind: 'ApiAccess', clientAuthorities: [authority.certificatePem] },
    { kind: 'Network', interfaces: [{ mac: '52:54:00:0a:05:0b', addresses: [address] }] },
    { kind: 'Registries', registries: [{ host: 'r.example', credentials: { username: 'u', password } }] },
  ];
  return Buffer.from(
    documents.map((each) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...each })).join('\n---\n'),
  );
}

const HASH = createHash('sha256').update(configText()).digest('hex');

const documents = (...all: readonly object[]): Buffer =>
  Buffer.from(
    all.map((each) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...each })).join('\n---\n'),
  );
const SESSION = { image: `r.example/tools@sha256:${'0'.repeat(64)}`, levels: ['full'] };
/** A role of the owner's own, as docs/how-to/update-a-fleet.md has it for the fleet operator. */
const FLEET = 'fleet';
const METHODS = [
  'GetConfigStatus',
  'ListConfigHistory',
  'GetConfig',
  'PlanDocuments',
  'ApplyDocuments',
  'RollbackConfig',
];
const RULES = {
  roles: [{ name: FLEET, methods: METHODS.map((name) => `ConfigService.${name}`) }],
  node: { name: 'node-1', labels: {} },
};

/** The role a call is made with; the transport of tests has no TLS to take it from. */
const identify: Interceptor = (next) => (request) => {
  const role = [...roles, FLEET].find((name) => name === request.header.get('x-role'));
  if (role) request.contextValues.set(callerKey, { ok: true, caller: { commonName: 'alice', role } });
  return next(request);
};
const as = (role: Role | typeof FLEET) => ({ headers: { 'x-role': role } });
const admin = as('plinth:admin');

async function served() {
  const world = new World();
  const bytes = configText();
  const parsed = parseConfig(bytes, 'test');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  world.given = { ok: true, source: 'fw_cfg', config: parsed.value, bytes };
  const plinthd = await world.start();
  assert.ok(plinthd);
  for (let step = 0; step < 2; step++) await plinthd.transaction.step();
  const records: AuditRecord[] = [];
  const problems = ['unknown key "x" at line 3, column 1'];
  const transport = createRouterTransport(
    configService({ ...plinthd, source: () => 'fw_cfg', provisioningProblems: problems }),
    {
      router: {
        interceptors: [identify, openGuard((record) => records.push(record), Date.now, RULES).interceptor],
      },
    },
  );
  return { world, plinthd, records, client: createClient(ConfigService, transport) };
}

function failed(code: string | Code) {
  return (reason: unknown) => {
    const error = ConnectError.from(reason);
    const [said] = error.findDetails(FailureSchema);
    assert.equal(typeof code === 'string' ? said?.code : error.code, code, String(reason));
    return true;
  };
}

test('readers see where the node stands; only admins see secrets, plan and change', async () => {
  const { client } = await served();
  for (const role of roles) {
    const status = await client.getConfigStatus({}, as(role));
    assert.deepEqual(
      [status.current?.revision, status.current?.outcome, status.settled, status.drift.length],
      [1, ConfigOutcome.GOOD, true, 0],
    );
    assert.deepEqual(status.provisioningProblems, ['unknown key "x" at line 3, column 1']);
    const { revisions } = await client.listConfigHistory({}, as(role));
    assert.equal(revisions.length, 1);
    const { revision, config, redacted } = await client.getConfig({}, as(role));
    for (const each of [status.current, revision, ...revisions])
      assert.equal(each?.hash, role === 'plinth:admin' ? HASH : '', role);
    const text = Buffer.from(config).toString();
    assert.deepEqual([redacted, text.includes(PASSWORD)], [role !== 'plinth:admin', role === 'plinth:admin']);
    assert.match(text, /r\.example/);
  }
  const denied = failed(Code.PermissionDenied);
  for (const role of ['plinth:reader', 'plinth:operator'] as const) {
    await assert.rejects(client.planConfig({ config: configText() }, as(role)), denied);
    await assert.rejects(client.applyConfig({ config: configText() }, as(role)), denied);
    await assert.rejects(client.confirmConfig({ revision: 1 }, as(role)), denied);
    await assert.rejects(client.rollbackConfig({}, as(role)), denied);
  }
});

test('a plan tells that a secret differs and not what it is, and neither does the audit', async () => {
  const { client, records } = await served();
  const { plan } = await client.planConfig({ config: configText('another-password') }, admin);
  assert.ok(plan?.changes.some(({ secret }) => secret));
  const { mode } = await client.applyConfig(
    { config: configText('another-password', '10.0.2.1/24'), reason: 'rotated', baseHash: HASH },
    admin,
  );
  assert.equal(mode, ConfigMode.TRY);
  assert.doesNotMatch(JSON.stringify([plan, records], bigints), /another-password|correct-horse/);
  const record = records.find(({ method }) => method.endsWith('ApplyConfig'));
  assert.match(JSON.stringify(record, bigints), /rotated/);
  assert.ok(
    !JSON.stringify(records, bigints).includes(HASH),
    'readers read the audit: a weak secret can be found by the hash',
  );
});

test('what is out of bounds is refused before anything is parsed or begun', async () => {
  const { client, plinthd } = await served();
  const before = plinthd.transaction.state();
  const config = configText(PASSWORD, '10.0.2.1/24');
  const large = new Uint8Array(CONFIG_LIMIT_BYTES + 1).fill(0x20);
  await assert.rejects(client.applyConfig({ config: large }, admin), failed('config/too-large'));
  await assert.rejects(
    client.applyConfig({ config: Buffer.from('kind: x\n') }, admin),
    failed('config/invalid'),
  );
  const invalid = failed(Code.InvalidArgument);
  await assert.rejects(client.applyConfig({ config, reason: 'x'.repeat(201) }, admin), invalid);
  await assert.rejects(client.applyConfig({ config, reason: 'a\nb' }, admin), invalid);
  await assert.rejects(client.applyConfig({ config, confirmWithin: { seconds: 9n } }, admin), invalid);
  await assert.rejects(client.applyConfig({ config, confirmWithin: { seconds: 3601n } }, admin), invalid);
  await assert.rejects(client.applyConfig({ config, mode: 77 as ConfigMode }, admin), invalid);
  await assert.rejects(client.getConfig({ revision: 9 }, admin), failed('config/unknown-revision'));
  await assert.rejects(client.confirmConfig({ revision: 1 }, admin), failed('config/not-in-trial'));
  assert.equal(plinthd.transaction.state(), before);
});

const settings = (value: number) => documents({ kind: 'Sysctls', settings: { 'vm.max_map_count': value } });

test('documents take the place of those of their kind, by a role that sees no secret; the rest stays as it is', async () => {
  const { client, plinthd, world } = await served();
  const fleet = as('fleet');
  const { plan, staged } = await client.planDocuments({ documents: settings(262144) }, fleet);
  assert.deepEqual([plan?.changes.map(({ kind }) => kind), plan?.baseHash, staged], [['Sysctls'], '', false]);
  const begun = await client.applyDocuments({ documents: settings(262144), reason: 'fleet r1' }, fleet);
  assert.deepEqual([begun.revision, begun.unchanged, begun.trial?.needsConfirmation], [2, false, false]);
  for (let step = 0; step < 2; step++) await plinthd.transaction.step();
  const { current } = await client.getConfigStatus({}, fleet);
  assert.deepEqual([current?.revision, current?.reason, current?.hash], [2, 'fleet r1', '']);
  const text = Buffer.from((await client.getConfig({}, admin)).config).toString();
  assert.match(text, /262144/);
  assert.ok(text.includes(PASSWORD), 'what the documents do not say stays, secrets too');
  const again = await client.applyDocuments({ documents: settings(262144) }, fleet);
  assert.deepEqual([again.revision, again.unchanged], [2, true]);
  assert.ok(world.disk.size > 0);
});

test('documents wait for the next boot once, however often they are sent', async () => {
  const { client } = await served();
  const request = { documents: settings(262144), mode: ConfigMode.STAGED };
  assert.deepEqual(await staged(), [2, false]);
  assert.deepEqual(await staged(), [2, true]);
  assert.equal((await client.planDocuments({ documents: settings(262144) }, as('fleet'))).staged, true);
  assert.equal((await client.planDocuments({ documents: settings(300000) }, as('fleet'))).staged, false);
  assert.equal((await client.getConfigStatus({}, admin)).stagedRevision, 2);

  async function staged() {
    const { revision, unchanged } = await client.applyDocuments(request, as('fleet'));
    return [revision, unchanged];
  }
});

test('a role that may change documents cannot give itself more than it has, nor bring back what did', async () => {
  const { client, plinthd } = await served();
  const fleet = as('fleet');
  const roles = [{ name: 'fleet', methods: ['*'] }];
  const guarded = [
    documents({ kind: 'ApiAccess', clientAuthorities: [authority.certificatePem], roles }),
    documents({ kind: 'Machine', name: 'node-2' }),
    documents({ kind: 'OperationsSession', ...SESSION }),
    documents({ kind: 'Kubelet', labels: { pool: 'others' } }),
  ];
  for (const given of guarded) {
    await client.planDocuments({ documents: given }, fleet);
    await assert.rejects(client.applyDocuments({ documents: given }, fleet), failed('config/not-yours'));
  }
  const [widened = Buffer.of()] = guarded;
  await client.applyDocuments({ documents: widened, mode: ConfigMode.AUTO }, admin);
  for (let step = 0; step < 2; step++) await plinthd.transaction.step();
  await assert.rejects(client.rollbackConfig({ revision: 1 }, fleet), failed('config/not-yours'));
  await assert.rejects(
    client.applyDocuments({ documents: settings(262144), mode: ConfigMode.TRY }, fleet),
    failed(Code.InvalidArgument),
  );
});

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
