import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { readClusterAccess } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'plinth-kubeconfig-'));
after(() => rmSync(folder, { recursive: true }));
const signal = AbortSignal.timeout(30_000);
const SECRET = 'do-not-show-this';

function kubeconfig(user: object, cluster: object = {}): string {
  const path = join(folder, 'config');
  writeFileSync(
    path,
    stringify({
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1/prefix', ...cluster } }],
      users: [{ name: 'u', user }],
    }),
  );
  return path;
}

describe('a kubeconfig', () => {
  test('with certificate, token, or a file that holds it', async () => {
    const data = Buffer.from('PEM').toString('base64');
    const access = await readClusterAccess(
      kubeconfig(
        { 'client-certificate-data': data, 'client-key-data': data, token: SECRET },
        { 'certificate-authority-data': data },
      ),
      undefined,
      signal,
    );
    assert.deepEqual(
      [access.authorityPem, access.certificatePem, access.keyPem, access.token, access.isUnchecked],
      ['PEM', 'PEM', 'PEM', SECRET, false],
    );
    writeFileSync(join(folder, 'token'), `${SECRET}\n`);
    assert.equal((await readClusterAccess(kubeconfig({ tokenFile: 'token' }), 'a', signal)).token, SECRET);
  });

  test('with a program that gives credentials: no shell, and what it must know in its environment', async () => {
    const program = join(folder, 'login.mjs');
    writeFileSync(
      program,
      `const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
if (process.argv[2] !== 'a b;$(c)' || process.env.EXTRA !== 'x' || spec.interactive) process.exit(1);
console.log(JSON.stringify({ status: { token: ${JSON.stringify(SECRET)} + spec.cluster.server } }));`,
    );
    const exec = {
      ...{
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        provideClusterInfo: true,
      },
      ...{ args: [program, 'a b;$(c)'], env: [{ name: 'EXTRA', value: 'x' }] },
    };
    const access = await readClusterAccess(kubeconfig({ exec }), undefined, signal);
    assert.equal(access.token, `${SECRET}https://127.0.0.1:1/prefix`);
  });

  for (const [what, user, cluster, pattern] of [
    [
      'a program that fails',
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', 'process.exit(3)'],
        },
      },
      {},
      /ended with 3/,
    ],
    [
      'a program that says something else',
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', `console.log('${SECRET}')`],
        },
      },
      {},
      /no ExecCredential/,
    ],
    [
      'a program that is not there',
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './missing' } },
      {},
      /ENOENT/,
    ],
    ['a password', { username: 'a', password: SECRET }, {}, /password/],
    ['a server without TLS', { token: SECRET }, { server: 'http://127.0.0.1:1' }, /server/],
    ['a proxy', { token: SECRET }, { 'proxy-url': 'http://127.0.0.1:2' }, /proxy/],
    ['a file that is not there', { tokenFile: 'missing' }, {}, /cannot be read/],
  ] as const) {
    test(`with ${what} is refused, and shows no secret`, async () => {
      await assert.rejects(
        readClusterAccess(kubeconfig(user, cluster), undefined, signal),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'kube/bad-kubeconfig');
          assert.match(error.message, pattern);
          assert.ok(!error.message.includes(SECRET));
          return true;
        },
      );
    });
  }

  test('without the context that is asked for is refused', async () => {
    await assert.rejects(readClusterAccess(kubeconfig({}), 'other', signal), {
      code: 'kube/bad-kubeconfig',
      message: /context "other"/,
    });
    await assert.rejects(readClusterAccess(join(folder, 'none'), undefined, signal), {
      code: 'kube/bad-kubeconfig',
    });
  });
});
