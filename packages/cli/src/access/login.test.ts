import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  makeAuthority,
  type StartedAgent,
  soundNode,
  startAgent,
  startIssuer,
  type TestIssuer,
} from '@plinth/agent/testing';
import { removeTree } from '@plinth/host';
import { changeContexts, readContexts } from '../client/contexts-file.ts';
import { runCli } from '../run-cli.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';

/** Command lines against plinthd itself and a real issuer; what is faked is the machine, and the person's browser. */
suite('plinth access login', () => {
  const authority = makeAuthority();
  const agents: StartedAgent[] = [];
  let folder: string;
  let issuer: TestIssuer;
  let nodes: { endpoint: string; fingerprint: string }[];
  let plain: { endpoint: string; fingerprint: string };

  const start = async (name: string, oidc?: Readonly<Record<string, unknown>>) => {
    const documents = [
      { kind: 'Machine', name },
      { kind: 'ApiAccess', clientAuthorities: [authority.certificatePem], ...(oidc && { oidc }) },
    ].map((each) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...each }));
    const node = soundNode();
    const agent = startAgent({
      ...{ ...node, nowMs: Date.now() },
      files: { ...node.files, [FW_CFG]: documents.join('\n---\n') },
    });
    agents.push(agent);
    const [, port, fingerprint] = await agent.line(/^api ready port=(\d+) fingerprint=(\S+)$/);
    return { endpoint: `127.0.0.1:${port}`, fingerprint: fingerprint ?? '' };
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-login-'));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    issuer = await startIssuer({
      keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }],
      accounts: [{ id: 'ann', groups: ['ops'] }, { id: 'bob' }],
    });
    const oidc = {
      ...{ issuer: issuer.issuer, clientId: 'plinth', certificateAuthority: issuer.authorityPem },
      ...{ scopes: ['groups'], roles: [{ role: 'operator', groups: ['ops'] }] },
    };
    nodes = [await start('n1', oidc), await start('n2', oidc)];
    plain = await start('n3');
  });
  after(async () => {
    for (const agent of agents) {
      agent.stop();
      await agent.ended;
    }
    await issuer?.[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
    await removeTree(folder);
  });

  const env = () => ({
    ...{ HOME: folder, PLINTHCONFIG: join(folder, 'contexts'), PLINTH_CONFIG_DIR: join(folder, 'config') },
  });
  /** @param person does what a person does who reads the code */
  const plinth = async (
    argv: readonly string[],
    person: (code: string) => Promise<void> = async () => {},
  ) => {
    const [out, err]: [string[], string[]] = [[], []];
    let done: Promise<void> | undefined;
    const hear = (text: string | Uint8Array) => {
      err.push(text.toString());
      const code = /enter the code ([!-~]+) within/.exec(err.join(''))?.[1];
      if (code !== undefined) done ??= person(code);
    };
    const surroundings = {
      stdout: { write: (text: string | Uint8Array) => out.push(text.toString()) },
      ...{ stderr: { write: hear }, env: env() },
    };
    const exitCode = await runCli(argv, surroundings, new AbortController().signal);
    await done;
    return { exitCode, stdout: out.join(''), stderr: err.join('') };
  };

  test('one login gives a certificate of each node, which its commands then use', async () => {
    const [n1, n2] = nodes;
    assert.ok(n1 && n2);
    const where = ['--endpoint', n1.endpoint, '--fingerprint', n1.fingerprint];
    const first = await plinth(['access', 'login', 'n1', ...where], (code) => issuer.approve(code, 'ann'));
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(first.stderr, /Open https:\/\/localhost:\d+\/device\?user_code=/);
    assert.match(first.stdout, /^n1: oidc:ann as operator until \d{4}-/m);
    const key = join(folder, 'config', 'sessions', 'n1.key');
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    const versions = await plinth(['get', 'versions', '-o', 'json']);
    assert.equal(versions.exitCode, 0, versions.stderr);
    await changeContexts(env().PLINTHCONFIG, (file) => ({
      ...file,
      contexts: { ...file.contexts, n2: { ...n2, certificate: '/elsewhere.crt', key: '/elsewhere.key' } },
    }));
    const asked = await plinth(['access', 'login', 'n1', 'n2']);
    assert.equal(asked.exitCode, 2);
    assert.match(asked.stderr, /cannot ask "Use n2 with the login from now on\?/);
    const both = await plinth(['access', 'login', 'n1', 'n2', '--yes', '-o', 'json'], (code) =>
      // A token that names its key serves for several nodes; so does one without at nodes that are not the same.
      issuer.approve(code, 'ann', true),
    );
    assert.equal(both.exitCode, 0, both.stderr);
    const data = JSON.parse(both.stdout) as readonly { context: string; role: string }[];
    assert.deepEqual(
      data.map(({ context, role }) => `${context} ${role}`),
      ['n1 plinth:operator', 'n2 plinth:operator'],
    );
    const { contexts } = await readContexts(env().PLINTHCONFIG);
    assert.notEqual(
      await readFile(contexts['n1']?.certificate ?? '', 'utf8'),
      await readFile(contexts['n2']?.certificate ?? '', 'utf8'),
    );
    assert.equal((await plinth(['get', 'versions', '--context', 'n2'])).exitCode, 0);
  });

  test('who is declined, or has no role, is told so, and nothing is kept', async () => {
    const before = await readFile(env().PLINTHCONFIG, 'utf8');
    const declined = await plinth(['access', 'login', 'n1'], (code) => issuer.decline(code));
    assert.equal(declined.exitCode, 4);
    assert.match(declined.stderr, /access\/login-failed.*it was declined at the issuer/s);
    const none = await plinth(['access', 'login', 'n1'], (code) => issuer.approve(code, 'bob'));
    assert.equal(none.exitCode, 4);
    assert.match(none.stderr, /access\/no-role.*no role is for bob/s);
    assert.equal(await readFile(env().PLINTHCONFIG, 'utf8'), before);
  });

  test('a node whose config names no issuer, and another node than expected, are told at once', async () => {
    const where = ['--endpoint', plain.endpoint, '--fingerprint', plain.fingerprint];
    const without = await plinth(['access', 'login', 'n3', ...where]);
    assert.match(without.stderr, /access\/login-failed.*its config names no issuer/s);
    const [n1] = nodes;
    const wrong = await plinth([
      ...[
        'access',
        'login',
        'n4',
        '--endpoint',
        n1?.endpoint ?? '',
        '--fingerprint',
        `sha256:${'0'.repeat(64)}`,
      ],
    ]);
    assert.match(wrong.stderr, /api\/identity-mismatch/);
    assert.equal((await plinth(['access', 'login', 'n4', '--endpoint', n1?.endpoint ?? ''])).exitCode, 2);
    assert.match((await plinth(['access', 'login', 'nope'])).stderr, /cli\/context-missing/);
  });

  test('an issuer that is away is told', async () => {
    await issuer.stop();
    try {
      const away = await plinth(['access', 'login', 'n1']);
      assert.match(away.stderr, /access\/issuer-unreachable/);
    } finally {
      await issuer.start();
    }
  });
});
