import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../../testing/fake-sys.ts';
import { controlPlaneEndpoint, memberEndpoint, readAdminCredentials } from './credentials.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const adminConf = (name: string) => `apiVersion: v1
clusters: [{ cluster: { server: https://x, certificate-authority-data: ${base64('authority')} }, name: c }]
users: [{ name: u, user: { client-certificate-data: ${base64(name)}, client-key-data: ${base64('key')} } }]
`;
const unusable = { code: 'kubernetes/credentials-unusable' };

test('the endpoint of a control plane is its own API server, and a renewed certificate is taken up', async () => {
  let [text, nowMs] = [adminConf('first'), 0];
  const sys = { readFile: async () => Buffer.from(text), nowMs: () => nowMs };
  const endpoint = controlPlaneEndpoint(sys);
  const expected = {
    caPem: 'authority',
    certificatePem: 'first',
    keyPem: 'key',
    host: '127.0.0.1',
    port: 6443,
  };
  assert.deepEqual(await endpoint(), expected);
  text = adminConf('second');
  nowMs = 29_999;
  assert.equal((await endpoint()).certificatePem, 'first');
  nowMs = 30_000;
  assert.equal((await endpoint()).certificatePem, 'second');
  text = adminConf('third');
  nowMs = -1_000_000;
  assert.equal((await endpoint()).certificatePem, 'third');
});

test('a worker asks as its node, by way of the balancer', async () => {
  const pem = '-----BEGIN CERTIFICATE-----\nx\n-----BEGIN EC PRIVATE KEY-----\ny\n';
  const files = {
    '/var/lib/kubelet/pki/kubelet-client-current.pem': pem,
    '/etc/kubernetes/pki/ca.crt': 'authority',
  };
  assert.deepEqual(await memberEndpoint(fakeSys({ files }), 7445)(), {
    caPem: 'authority',
    certificatePem: pem,
    keyPem: pem,
    host: '127.0.0.1',
    port: 7445,
  });
  await assert.rejects(memberEndpoint(fakeSys({}), 7445)(), unusable);
});

test('a file that is no kubeconfig is refused without a word of what it holds', async () => {
  for (const text of [
    '',
    'secret-text',
    '{',
    'clusters: []',
    adminConf('a').replace('client-key-data', 'key'),
    `a: &a [${'*a,'.repeat(9)}]`,
  ]) {
    const sys = fakeSys({ files: { '/etc/kubernetes/admin.conf': text } });
    await assert.rejects(readAdminCredentials(sys), (reason: Error) => {
      assert.ok(!reason.message.includes('secret-text'));
      return 'code' in reason && reason.code === unusable.code;
    });
  }
});
