import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { after, before, suite, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  connectNode,
  fingerprintOf,
  keyBindingOf,
  type NodeTarget,
  RevocationsSchema,
  revocationsToSign,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { exportJWK, type JWK, SignJWT } from 'jose';
import { makeAuthority } from '../../testing/authority.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { startIssuer, type TestIssuer } from '../../testing/oidc-issuer.ts';
import { soundNode } from '../../testing/sound-node.ts';
import { type StartedAgent, startAgent, startAgentOn } from '../../testing/start-agent.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const authority = makeAuthority();
const other = makeAuthority('another');

async function signingKey(kid: string): Promise<{ readonly jwk: JWK; readonly key: KeyObject }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }, key: privateKey };
}

/** A key of a person, and how it goes over the wire. */
function holder() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    nonce: keyBindingOf(publicKey),
  };
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

suite('login with a real OpenID Connect issuer', () => {
  let issuer: TestIssuer;
  let agent: StartedAgent;
  let target: NodeTarget;
  const running: StartedAgent[] = [];
  let first: Awaited<ReturnType<typeof signingKey>>;

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

  const post = (path: string, form: Readonly<Record<string, string>>) =>
    new Promise<Record<string, string>>((resolve, reject) => {
      const body = new URLSearchParams(form).toString();
      const sent = request(
        `${issuer.issuer}${path}`,
        {
          method: 'POST',
          ca: issuer.authorityPem,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (piece) => (text += piece));
          answer.on('end', () => resolve(JSON.parse(text) as Record<string, string>));
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  /** The device flow of RFC 8628 as a client and a person do it. */
  const tokenFor = async (account: string, nonce?: string): Promise<string> => {
    const begun = await post('/device/auth', {
      ...{ client_id: 'plinth', scope: 'openid groups email' },
      ...(nonce !== undefined && { nonce }),
    });
    await issuer.approve(begun['user_code'] ?? '', account, nonce !== undefined);
    const { id_token: token } = await post('/token', {
      ...{ client_id: 'plinth', device_code: begun['device_code'] ?? '' },
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    });
    return token ?? '';
  };
  const exchange = async (idToken: string, publicKey: Uint8Array, at = target) => {
    using stranger = connectNode(at);
    return await stranger.login.exchange({ idToken, publicKey });
  };
  /** A token of our own making, to bend it. */
  const forged = (
    claims: Readonly<Record<string, unknown>>,
    key = first.key,
    header: Readonly<Record<string, string>> = {},
  ) => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer.issuer, aud: 'plinth', sub: 'ann', iat: nowSeconds, exp: nowSeconds + 3600 };
    return new SignJWT({ ...usual, groups: ['platform-admins'], ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'first', ...header })
      .sign(key);
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
    const answer = await exchange(await tokenFor('ann'), ann.spki);
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
    const certificate = await exchange(await tokenFor('bob'), bob.spki);
    assert.equal(certificate.role, 'log-reader');
    using reader = connectNode({
      ...target,
      clientCertificatePem: certificate.certificate,
      clientKeyPem: bob.keyPem,
    });
    await reader.getVersions();
    assert.match((await refusal(reader.getHealth())).message, /the role log-reader does not have/);
    assert.equal((await exchange(await tokenFor('carol'), carol.spki)).role, 'plinth:reader');
    const none = await refusal(exchange(await tokenFor('mallory'), mallory.spki));
    assert.equal(none.code, 'access/no-role');
    assert.match(none.message, /no role is for mallory, nor for a group in its claim "groups"/);
    assert.match(agent.audit.at(-1)?.arguments ?? '', /subject="mallory"$/);
    const odd = await refusal(exchange(await tokenFor('plinth:admin'), holder().spki));
    assert.match(odd.message, /claim "sub" is no name/);
  });

  test('a token is taken once; one that names its key may be sent again, and by nobody else', async () => {
    const ann = holder();
    const token = await tokenFor('ann');
    await exchange(token, ann.spki);
    assert.match((await refusal(exchange(token, holder().spki))).message, /it was exchanged already/);
    const bound = holder();
    const named = await tokenFor('ann', bound.nonce);
    await exchange(named, bound.spki);
    await exchange(named, bound.spki);
    assert.match((await refusal(exchange(named, holder().spki))).message, /its nonce names another key/);
  });

  test('tokens that are not what they have to be are refused, each with its reason', async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 1_100));
    const nowSeconds = Math.floor(Date.now() / 1000);
    const stranger = await signingKey('first');
    const cases: readonly (readonly [string, RegExp])[] = [
      [await forged({ iss: 'https://evil.example' }), /its claim "iss"/],
      [await forged({ aud: 'another-client' }), /its claim "aud"/],
      [await forged({ aud: ['plinth', 'x'] }), /made for another client/],
      [await forged({ azp: 'another-client' }), /made for another client/],
      [await forged({ exp: nowSeconds - 120 }), /it has expired/],
      [await forged({ iat: nowSeconds - 900 }), /older than 10 minutes/],
      [await forged({ iat: nowSeconds + 900 }), /its claim "iat"/],
      [await forged({}, stranger.key), /its signature is not by a key of the issuer/],
      [await forged({}, first.key, { kid: 'unknown' }), /the issuer has no such key/],
      [`${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, /no signed token|not accepted/],
      [
        await new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1)),
        /not accepted|no such key/,
      ],
      ['x', /no signed token/],
      ['y'.repeat(17_000), /more than 16384 characters/],
      [await forged({ nonce: 'x' }), /its nonce names another key/],
      [await forged({ exp: nowSeconds + 20 }), /ends in less than a minute/],
    ];
    for (const [token, said] of cases) {
      // A stranger may try once a second.
      await wait();
      const { code, message } = await refusal(exchange(token, holder().spki));
      assert.deepEqual([code, said.test(message)], ['access/token-refused', true], `${said}: ${message}`);
      assert.ok(!message.includes(token.slice(0, 40)) || token.length < 40);
    }
    await wait();
    assert.match(
      (await refusal(exchange(await forged({}), Buffer.from('no key')))).message,
      /expected a P-256 key/,
    );
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'der',
    });
    assert.match((await refusal(exchange(await forged({}), rsa))).message, /expected a P-256 key/);
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
    const { certificate } = await exchange(await tokenFor('ann'), ann.spki);
    const second = await startNode();
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
    const { certificate } = await exchange(await tokenFor('ann'), ann.spki, at);
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
    const fresh = await exchange(await tokenFor('ann'), again.spki, at);
    using later = connectNode({ ...at, clientCertificatePem: fresh.certificate, clientKeyPem: again.keyPem });
    await later.getVersions();
  });

  test('the lifetime is the shortest of what is asked, the config and the token', async () => {
    const { target: at } = await startNode({ maxTtl: '30m', endWithToken: false });
    const ann = holder();
    const minutes = (pem: string) => (new X509Certificate(pem).validToDate.getTime() - Date.now()) / 60_000;
    const whole = await exchange(await tokenFor('ann'), ann.spki, at);
    assert.ok(Math.abs(minutes(whole.certificate) - 30) < 1);
    using stranger = connectNode(at);
    const brief = await stranger.login.exchange({
      ...{ idToken: await tokenFor('ann'), publicKey: ann.spki, ttl: { seconds: 300n } },
    });
    assert.ok(Math.abs(minutes(brief.certificate) - 5) < 1);
  });

  test('where keys have to be bound, a token without a nonce is refused; an unverified address is no name', async () => {
    const { target: at } = await startNode({ requireKeyBinding: true });
    assert.match(
      (await refusal(exchange(await tokenFor('ann'), holder().spki, at))).message,
      /it has no nonce/,
    );
    const bound = holder();
    assert.equal((await exchange(await tokenFor('ann', bound.nonce), bound.spki, at)).name, 'oidc:ann');
    const byMail = await startNode({ usernameClaim: 'email' });
    const { message } = await refusal(exchange(await tokenFor('ann'), holder().spki, byMail.target));
    assert.match(message, /has not verified the e-mail address/);
  });

  test('while the issuer is away known keys hold; a node that knows none says so', async () => {
    const token = await tokenFor('ann');
    const bound = holder();
    const named = await tokenFor('ann', bound.nonce);
    const [fresh, knowing] = [await startNode(), await startNode()];
    await exchange(await tokenFor('ann'), holder().spki, knowing.target);
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
    const { code } = await refusal(exchange(await tokenFor('ann'), holder().spki, wrong.target));
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
