import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  connectNode,
  fingerprintOf,
  type NodeTarget,
  RevocationsSchema,
  revocationsToSign,
} from '@plinth/api';
import type { PlinthError } from '@plinth/base';
import { makeAuthority } from '../../testing/authority.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { startIssuer, type TestIssuer } from '../../testing/oidc-issuer.ts';
import { soundNode } from '../../testing/sound-node.ts';
import { type StartedAgent, startAgent, startAgentOn } from '../../testing/start-agent.ts';
import { forged, holder, refusal, type SigningKey, signingKey } from './testing/login-keys.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const authority = makeAuthority();
const other = makeAuthority('another');

suite('login with a real OpenID Connect issuer', () => {
  let issuer: TestIssuer;
  let agent: StartedAgent;
  let target: NodeTarget;
  const running: StartedAgent[] = [];
  let first: SigningKey;

  const configOf = (more: Readonly<Record<string, unknown>> = {}) =>
    [
      { kind: 'Machine', name: 'node-1' },
      {
        kind: 'ApiAccess',
        clientAuthorities: [authority.certificatePem],
        roles: [{ name: 'log-reader', methods: ['NodeService.GetVersions'] }],
        oidc: {
          ...{ issuer: issuer.issuer, clientId: 'plinth', certificateAuthority: issuer.authorityPem },
          ...{ scopes: ['groups', 'email'], maxTtl: '8h' },
          roles: [
            { role: 'admin', groups: ['platform-admins'] },
            { role: 'log-reader', groups: ['developers'] },
            { role: 'reader', users: ['carol'] },
          ],
          ...more,
        },
      },
    ]
      .map((each) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...each }))
      .join('\n---\n');
  const startNode = async (more: Readonly<Record<string, unknown>> = {}) => {
    const node = soundNode();
    const files = { ...node.files, [FW_CFG]: configOf(more) };
    // A clock that goes on: each look is at the machine as it is then.
    const started = startAgentOn(() => fakeSys({ ...node, nowMs: Date.now(), files }));
    running.push(started);
    const [, port, fingerprint] = await started.line(/^api ready port=(\d+) fingerprint=(\S+)$/);
    return { started, target: { address: '127.0.0.1', port: Number(port), fingerprint, timeoutMs: 20_000 } };
  };

  before(async () => {
    first = await signingKey('first');
    issuer = await startIssuer({
      keys: [first.jwk],
      accounts: [
        { id: 'ann', groups: ['developers', 'platform-admins'], email: 'ann@example.org' },
        { id: 'bob', groups: ['developers'] },
        { id: 'carol' },
        { id: 'mallory', groups: ['nobody'] },
        { id: 'plinth:admin', groups: ['platform-admins'] },
      ],
    });
    ({ started: agent, target } = await startNode());
  });
  after(async () => {
    for (const each of running) {
      each.stop();
      await each.ended;
    }
    await issuer?.[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  const exchange = async (idToken: string, publicKey: Uint8Array, at = target) => {
    using stranger = connectNode(at);
    return await stranger.login.exchange({ idToken, publicKey });
  };
  test('the node tells a stranger whom it believes, and nothing else', async () => {
    using stranger = connectNode(target);
    const login = await stranger.login.get();
    assert.deepEqual(
      [login.issuer, login.clientId, login.scopes],
      [issuer.issuer, 'plinth', ['groups', 'email']],
    );
    assert.equal(login.certificateAuthority, issuer.authorityPem);
    for (const call of [
      stranger.getVersions(),
      stranger.getHealth(),
      stranger.config.get(),
      stranger.access.get(),
      stranger.machine.reboot({ reason: 'no' }),
    ]) {
      const { code, message } = await refusal(call);
      assert.equal(code, 'api/forbidden');
      assert.match(message, /not for callers without a certificate/);
    }
    assert.equal((await refusal(stranger.maintenance.get())).code, 'api/unsupported');
  });

  test('a token of the issuer becomes a certificate with the role of the group, and the record says all of it', async () => {
    const ann = holder();
    const answer = await exchange(await issuer.tokenFor('ann'), ann.spki);
    assert.deepEqual([answer.name, answer.role], ['oidc:ann', 'plinth:admin']);
    const certificate = new X509Certificate(answer.certificate);
    assert.deepEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }), ann.spki);
    assert.equal(certificate.ca, false);
    const hours = (certificate.validToDate.getTime() - Date.now()) / 3600_000;
    assert.ok(hours > 0.9 && hours <= 1.01, `${hours} hours: it ends with the token`);
    using admin = connectNode({
      ...target,
      clientCertificatePem: answer.certificate,
      clientKeyPem: ann.keyPem,
    });
    const { caller } = await admin.getIdentity();
    assert.deepEqual([caller?.commonName, caller?.role], ['oidc:ann', 'plinth:admin']);
    const record = agent.audit.findLast(
      ({ method, event }) => method === 'LoginService.ExchangeToken' && event === 'api.call',
    );
    assert.match(record?.caller ?? '', /^stranger at /);
    const serial = certificate.serialNumber.toLowerCase();
    assert.match(
      record?.arguments ?? '',
      new RegExp(
        `^id_token=hidden public_key=91 B subject="ann" name=oidc:ann issued=plinth:admin serial=${serial} until=`,
      ),
    );
    assert.ok(record?.arguments.endsWith(` certificate=${fingerprintOf(certificate.raw)}`));
  });

  test('a role of the config and a single person are mapped too; who fits nothing gets nothing', async () => {
    const [bob, carol, mallory] = [holder(), holder(), holder()];
    const certificate = await exchange(await issuer.tokenFor('bob'), bob.spki);
    assert.equal(certificate.role, 'log-reader');
    using reader = connectNode({
      ...target,
      clientCertificatePem: certificate.certificate,
      clientKeyPem: bob.keyPem,
    });
    await reader.getVersions();
    assert.match((await refusal(reader.getHealth())).message, /the role log-reader does not have/);
    assert.equal((await exchange(await issuer.tokenFor('carol'), carol.spki)).role, 'plinth:reader');
    const none = await refusal(exchange(await issuer.tokenFor('mallory'), mallory.spki));
    assert.equal(none.code, 'access/no-role');
    assert.match(none.message, /no role is for mallory, nor for a group in its claim "groups"/);
    assert.match(agent.audit.at(-1)?.arguments ?? '', /subject="mallory"$/);
    const odd = await refusal(exchange(await issuer.tokenFor('plinth:admin'), holder().spki));
    assert.match(odd.message, /claim "sub" is no name/);
  });

  test('a token is taken once; one that names its key may be sent again, and by nobody else', async () => {
    const ann = holder();
    const token = await issuer.tokenFor('ann');
    await exchange(token, ann.spki);
    assert.match((await refusal(exchange(token, holder().spki))).message, /it was exchanged already/);
    const bound = holder();
    const named = await issuer.tokenFor('ann', bound.nonce);
    await exchange(named, bound.spki);
    await exchange(named, bound.spki);
    assert.match((await refusal(exchange(named, holder().spki))).message, /its nonce names another key/);
  });

  test('a certificate of another authority is refused, also where callers may come without one', async () => {
    const { certificatePem, keyPem } = other.issue({ organisations: ['plinth:admin'] });
    using client = connectNode({ ...target, clientCertificatePem: certificatePem, clientKeyPem: keyPem });
    const { code, message } = await refusal(client.getVersions());
    assert.equal(code, 'api/forbidden');
    assert.match(message, /the certificate is not accepted/);
    assert.equal((await refusal(client.login.get())).code, 'api/forbidden');
    const expired = authority.issue({ organisations: ['plinth:admin'], notAfter: '20210101000000Z' });
    using late = connectNode({
      ...target,
      clientCertificatePem: expired.certificatePem,
      clientKeyPem: expired.keyPem,
    });
    assert.equal((await refusal(late.getVersions())).code, 'api/forbidden');
    const good = authority.issue({ organisations: ['plinth:admin'] });
    using admin = connectNode({
      ...target,
      clientCertificatePem: good.certificatePem,
      clientKeyPem: good.keyPem,
    });
    await admin.getVersions();
  });

  test('a session is accepted by the node that gave it, and by no other', async () => {
    const ann = holder();
    const [home, second] = [await startNode(), await startNode()];
    const { certificate } = await exchange(await issuer.tokenFor('ann'), ann.spki, home.target);
    using there = connectNode({
      ...second.target,
      clientCertificatePem: certificate,
      clientKeyPem: ann.keyPem,
    });
    assert.equal((await refusal(there.getVersions())).code, 'api/forbidden');
  });

  test('a session is revoked by the name in the record, and the next login is another one', async () => {
    const { target: at } = await startNode();
    const [ann, again] = [holder(), holder()];
    const { certificate } = await exchange(await issuer.tokenFor('ann'), ann.spki, at);
    using session = connectNode({ ...at, clientCertificatePem: certificate, clientKeyPem: ann.keyPem });
    await session.getVersions();
    const list = toBinary(
      RevocationsSchema,
      create(RevocationsSchema, {
        version: 1n,
        revocations: [
          {
            certificate: { case: 'name', value: 'oidc:ann' },
            issuedUntil: timestampFromMs(new X509Certificate(certificate).validFromDate.getTime()),
          },
        ],
      }),
    );
    const signature = sign('sha256', revocationsToSign(list), authority.keyPem);
    const root = authority.issue({ organisations: ['plinth:admin'] });
    using admin = connectNode({
      ...at,
      clientCertificatePem: root.certificatePem,
      clientKeyPem: root.keyPem,
    });
    assert.equal((await admin.access.putRevocations({ list, signature })).endedConnections, 1);
    assert.match((await refusal(session.getVersions())).message, /the certificate is revoked/);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const fresh = await exchange(await issuer.tokenFor('ann'), again.spki, at);
    using later = connectNode({ ...at, clientCertificatePem: fresh.certificate, clientKeyPem: again.keyPem });
    await later.getVersions();
  });

  test('a token that is about to end, and a key that is none, are refused', async () => {
    const { target: at } = await startNode();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const ending = await forged(issuer.issuer, first.key, { exp: nowSeconds + 20 });
    assert.match((await refusal(exchange(ending, holder().spki, at))).message, /ends in less than a minute/);
    const token = await forged(issuer.issuer, first.key);
    assert.match((await refusal(exchange(token, Buffer.from('no key'), at))).message, /expected a P-256 key/);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const spki = rsa.export({ type: 'spki', format: 'der' });
    assert.match((await refusal(exchange(token, spki, at))).message, /expected a P-256 key/);
  });

  test('who tries again and again from one address is slowed down', async () => {
    const { target: at } = await startNode();
    // Over one connection: a machine that is busy takes so long for a handshake that it is slow enough by itself.
    using stranger = connectNode(at);
    const request = { idToken: 'x', publicKey: holder().spki };
    const refusals: PlinthError[] = [];
    while (refusals.length < 14) refusals.push(await refusal(stranger.login.exchange(request)));
    const codes = refusals.map(({ code }) => code);
    assert.equal(codes[0], 'access/token-refused');
    assert.ok(codes.includes('api/overloaded'), codes.join());
    assert.match(refusals.at(codes.indexOf('api/overloaded'))?.message ?? '', /too many logins/);
  });

  test('the lifetime is the shortest of what is asked, the config and the token', async () => {
    const { target: at } = await startNode({ maxTtl: '30m', endWithToken: false });
    const ann = holder();
    const minutes = (pem: string) => (new X509Certificate(pem).validToDate.getTime() - Date.now()) / 60_000;
    const whole = await exchange(await issuer.tokenFor('ann'), ann.spki, at);
    assert.ok(Math.abs(minutes(whole.certificate) - 30) < 1);
    using stranger = connectNode(at);
    const brief = await stranger.login.exchange({
      ...{ idToken: await issuer.tokenFor('ann'), publicKey: ann.spki, ttl: { seconds: 300n } },
    });
    assert.ok(Math.abs(minutes(brief.certificate) - 5) < 1);
  });

  test('where keys have to be bound, a token without a nonce is refused; an unverified address is no name', async () => {
    const { target: at } = await startNode({ requireKeyBinding: true });
    assert.match(
      (await refusal(exchange(await issuer.tokenFor('ann'), holder().spki, at))).message,
      /it has no nonce/,
    );
    const bound = holder();
    assert.equal(
      (await exchange(await issuer.tokenFor('ann', bound.nonce), bound.spki, at)).name,
      'oidc:ann',
    );
    const byMail = await startNode({ usernameClaim: 'email' });
    const { message } = await refusal(exchange(await issuer.tokenFor('ann'), holder().spki, byMail.target));
    assert.match(message, /has not verified the e-mail address/);
  });

  test('while the issuer is away known keys hold; a node that knows none says so', async () => {
    const token = await issuer.tokenFor('ann');
    const bound = holder();
    const named = await issuer.tokenFor('ann', bound.nonce);
    const [fresh, knowing] = [await startNode(), await startNode()];
    await exchange(await issuer.tokenFor('ann'), holder().spki, knowing.target);
    await issuer.stop();
    try {
      await exchange(token, holder().spki, knowing.target);
      const { code, message } = await refusal(exchange(named, bound.spki, fresh.target));
      assert.equal(code, 'access/issuer-unreachable');
      assert.match(message, /the issuer https:\/\/localhost:\d+ does not give its keys/);
    } finally {
      await issuer.start();
    }
    await exchange(named, bound.spki, fresh.target);
  });

  test('an issuer whose server another authority vouches for is not believed', async () => {
    const wrong = await startNode({ certificateAuthority: authority.certificatePem });
    const { code } = await refusal(exchange(await issuer.tokenFor('ann'), holder().spki, wrong.target));
    assert.equal(code, 'access/issuer-unreachable');
  });

  test('without an issuer in the config nobody without a certificate gets past the handshake', async () => {
    const node = soundNode();
    const plain = JSON.stringify({
      ...{ apiVersion: 'plinth.dev/v1alpha1', kind: 'MachineConfig', metadata: { name: 'node-1' } },
      api: { clientAuthorities: [authority.certificatePem] },
    });
    const started = startAgent({ ...node, files: { ...node.files, [FW_CFG]: plain } });
    running.push(started);
    const [, port] = await started.line(/^api ready port=(\d+)/);
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(port),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    assert.match(
      String(await new Promise((resolve) => socket.once('error', resolve))),
      /certificate required/i,
    );
  });
});
