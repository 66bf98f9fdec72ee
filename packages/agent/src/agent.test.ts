import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connectNode, HealthState, Membership, type NodeTarget, Verdict } from '@plinth/api';
import { type ErrorCode, PlinthError } from '@plinth/base';
import { type ClientOptions, makeAuthority } from './testing/authority.ts';
import { fakeSys } from './testing/fake-sys.ts';
import { soundNode } from './testing/sound-node.ts';
import { type StartedAgent, startAgent, startAgentOn } from './testing/start-agent.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const authority = makeAuthority();
const stranger = makeAuthority('stranger');

function machineConfig(): string {
  return JSON.stringify({
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name: 'node-1' },
    api: { clientAuthorities: [authority.certificatePem] },
  });
}

const node = soundNode();
let agent: StartedAgent;
let target: Omit<NodeTarget, 'clientCertificatePem' | 'clientKeyPem'>;

before(async () => {
  agent = startAgent({ ...node, files: { ...node.files, [FW_CFG]: machineConfig() } });
  const [, port, fingerprint] = await agent.line(/^api ready port=(\d+) fingerprint=(sha256:[0-9a-f]{64})$/);
  target = { address: '127.0.0.1', port: Number(port), fingerprint, timeoutMs: 20_000 };
});
after(async () => {
  agent.stop();
  await agent.ended;
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

function client(options: ClientOptions = {}, from = authority, changes: Partial<NodeTarget> = {}) {
  const { certificatePem, keyPem } = from.issue(options);
  return connectNode({ ...target, clientCertificatePem: certificatePem, clientKeyPem: keyPem, ...changes });
}

async function refusal(work: Promise<unknown>): Promise<PlinthError> {
  try {
    await work;
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason;
  }
  assert.fail('expected a refusal');
}

for (const role of ['plinth:admin', 'plinth:operator', 'plinth:reader']) {
  test(`${role} may call every method`, async () => {
    using api = client({ organisations: [role], commonName: 'alice' });
    const identity = await api.getIdentity();
    assert.equal(identity.certificateFingerprint, target.fingerprint);
    assert.equal(identity.identityPersistent, false);
    assert.deepEqual([identity.caller?.commonName, identity.caller?.role], ['alice', role]);
    assert.equal((await api.getVersions()).agent, '0.1.0');
    assert.equal((await api.getSlots()).slots.length, 2);
    assert.equal((await api.getIntegrity()).verdict, Verdict.PASS);
    assert.equal((await api.getBootReport()).phases.length, 5);
    const health = await api.getHealth();
    assert.equal(health.state, HealthState.DEGRADED);
    assert.equal(health.uptime?.seconds, 120n);
    const bad = health.checks.filter(({ verdict }) => verdict !== Verdict.PASS).map(({ id }) => id);
    assert.deepEqual(bad, ['identity', 'audit-log', 'config-drift']);
  });
}

test('updates are served: without a disk to read nothing is claimed of it', async () => {
  using api = client({ organisations: ['plinth:operator'] });
  assert.equal((await refusal(api.update.get())).code, 'update/disk-unreadable');
  assert.equal((await refusal(api.update.check())).code, 'update/no-policy');
  const staging = (async () => {
    for await (const _ of api.update.stage('1.1'));
  })();
  assert.equal((await refusal(staging)).code, 'update/no-policy');
  assert.equal((await refusal(api.update.unblock('1.1'))).code, 'update/not-blocked');
});

const strangers: readonly (readonly [
  what: string,
  code: ErrorCode,
  options: ClientOptions,
  from?: typeof authority,
])[] = [
  ['another authority', 'api/forbidden', {}, stranger],
  ['an expired certificate', 'api/forbidden', { notAfter: '20210101000000Z' }],
  ['a server certificate', 'api/forbidden', { usage: 'serverAuth' }],
  ['no role', 'api/forbidden', { organisations: [] }],
  ['another role', 'api/forbidden', { organisations: ['plinth:owner'] }],
  ['a role in other letters', 'api/forbidden', { organisations: ['Plinth:Admin'] }],
  ['two organisations', 'api/forbidden', { organisations: ['plinth:reader', 'plinth:admin'] }],
];

for (const [what, code, options, from] of strangers) {
  test(`a client with ${what} is refused`, async () => {
    using api = client(options, from);
    assert.equal((await refusal(api.getVersions())).code, code);
  });
}

test('a refused role is told why, and the record says who', async () => {
  using api = client({ commonName: 'mallory', organisations: ['plinth:owner'] });
  const { message, exitCode } = await refusal(api.getIntegrity());
  assert.match(message, /its organisation is not one of plinth:admin/);
  assert.equal(exitCode, 4);
  const record = agent.audit.find(({ caller }) => caller === 'mallory');
  assert.deepEqual(
    [record?.method, record?.result, record?.role],
    ['NodeService.GetIntegrity', 'permission_denied', ''],
  );
});

test('Kubernetes is served to every role, and changed by admins on a node that remembers', async () => {
  using reader = client({ organisations: ['plinth:reader'] });
  assert.equal((await reader.kubernetes.get()).membership, Membership.NONE);
  assert.equal(
    (await refusal(reader.kubernetes.bootstrap({ cluster: { name: 'demo' } }))).code,
    'api/forbidden',
  );
  using admin = client({ organisations: ['plinth:admin'] });
  const refused = await refusal(admin.kubernetes.bootstrap({ cluster: { name: 'demo' } }));
  assert.deepEqual([refused.code, refused.hint], ['kubernetes/state-lost', 'Mend /var, then call again.']);
});

test('a call is recorded with caller, role, method and result', async () => {
  using api = client({ commonName: 'bob', organisations: ['plinth:operator'] });
  await api.getSlots();
  const record = agent.audit.find(({ caller }) => caller === 'bob');
  assert.deepEqual(
    [record?.method, record?.role, record?.result],
    ['NodeService.GetSlots', 'plinth:operator', 'ok'],
  );
  assert.match(record?.peer ?? '', /^127\.0\.0\.1:\d+$/);
});

test('a client without a certificate does not get past the handshake', async () => {
  const socket = connectTls({
    host: '127.0.0.1',
    port: target.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const reason = await new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('close', () => resolve('closed'));
  });
  assert.match(String(reason), /certificate required/i);
  assert.equal(received, 0);
});

test('TLS 1.2 is not spoken', async () => {
  const { certificatePem, keyPem } = authority.issue();
  const socket = connectTls({
    host: '127.0.0.1',
    port: target.port,
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
    cert: certificatePem,
    key: keyPem,
  });
  const reason = await new Promise((resolve) => socket.once('error', resolve));
  assert.match(String(reason), /protocol version/i);
});

test('the client does not speak to a node with another certificate', async () => {
  using api = client({ commonName: 'careful' }, authority, { fingerprint: `sha256:${'0'.repeat(64)}` });
  const { code, details } = await refusal(api.getVersions());
  assert.equal(code, 'api/identity-mismatch');
  assert.equal(details['found'], target.fingerprint);
  assert.equal(
    agent.audit.some(({ caller }) => caller === 'careful'),
    false,
  );
});

test('without a fingerprint the self-signed certificate is not trusted', async () => {
  using api = client({}, authority, { fingerprint: undefined });
  assert.equal((await refusal(api.getVersions())).code, 'api/identity-mismatch');
});

test('only gRPC is served, and unknown paths are not', async () => {
  const { certificatePem, keyPem } = authority.issue();
  const session = connectHttp2(`https://127.0.0.1:${target.port}`, {
    rejectUnauthorized: false,
    cert: certificatePem,
    key: keyPem,
  });
  const status = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      stream.once('response', (answer) => resolve(answer[':status']));
      stream.once('error', reject);
      stream.end();
    });
  const path = '/plinth.node.v1.NodeService/GetVersions';
  assert.equal(await status({ ':method': 'POST', ':path': path, 'content-type': 'application/json' }), 415);
  assert.equal(await status({ ':method': 'POST', ':path': '/x', 'content-type': 'application/grpc' }), 404);
  assert.equal(await status({ ':method': 'GET', ':path': '/' }), 404);
  session.destroy();
});

test('the certificate on the wire is the one on the console', async () => {
  const { certificatePem, keyPem } = authority.issue();
  const socket = connectTls({
    host: '127.0.0.1',
    port: target.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    cert: certificatePem,
    key: keyPem,
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  socket.destroy();
  assert.equal(`sha256:${certificate?.fingerprint256.replaceAll(':', '').toLowerCase()}`, target.fingerprint);
});

test('the console tells what is degraded, once', async () => {
  await agent.line(/^degraded: identity: a test keeps nothing$/);
  assert.equal(agent.lines.filter((text) => text.startsWith('degraded: identity')).length, 1);
  assert.equal(agent.lines.filter((text) => text.startsWith('api ready')).length, 1);
});

test('a wrong config is said with its place; a corrected one is taken without a restart', async () => {
  let config = 'apiVersion: plinth.dev/v1alpha1\nkindd: x\n';
  const waiting = startAgentOn(() => fakeSys({ ...node, files: { ...node.files, [FW_CFG]: config } }));
  await waiting.line(/^maintenance: .*unknown key "kindd" at line 2, column 1.*\[config\/invalid\]$/);
  assert.equal(
    waiting.lines.some((text) => text.startsWith('api ready')),
    false,
  );
  config = machineConfig();
  await waiting.line(/^api ready/);
  waiting.stop();
  await waiting.ended;
});

test('a missing config is said, and stopping ends the wait', async () => {
  const waiting = startAgent(node);
  await waiting.line(/^maintenance: Cannot find a machine config.*\[agent\/config-missing\]$/);
  waiting.stop();
  await waiting.ended;
});
