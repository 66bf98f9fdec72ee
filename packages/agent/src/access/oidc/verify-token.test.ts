import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exportJWK, SignJWT } from 'jose';
import type { OidcSettings } from './judge-claims.ts';
import { forged, holder, refusal, signingKey } from './testing/login-keys.ts';
import { verifyToken } from './verify-token.ts';

const ISSUER = 'https://login.example';
const settings: OidcSettings = {
  ...{ issuer: ISSUER, clientId: 'plinth', certificateAuthority: '', scopes: [], roles: [] },
  ...{
    usernameClaim: 'sub',
    groupsClaim: 'groups',
    maxTtl: '8h',
    endWithToken: true,
    requireKeyBinding: false,
  },
};
const first = await signingKey('first');
const { d: _, ...publicJwk } = first.jwk;
const keys = { get: async () => ({ keys: [publicJwk] }) };
const ann = holder();

const verify = (token: string, changes: Partial<OidcSettings> = {}) =>
  verifyToken(token, ann.publicKey, { ...settings, ...changes }, keys, Date.now());

test('a token of the issuer is accepted, with its claims', async () => {
  const claims = await verify(await forged(ISSUER, first.key));
  assert.deepEqual([claims.sub, claims['groups']], ['ann', ['platform-admins']]);
  const bound = await forged(ISSUER, first.key, { nonce: ann.nonce, azp: 'plinth', aud: ['plinth', 'x'] });
  await verify(bound, { requireKeyBinding: true });
});

const nowSeconds = Math.floor(Date.now() / 1000);
const cases: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
  ['another issuer', () => forged('https://evil.example', first.key), /its claim "iss"/],
  ['another audience', () => forged(ISSUER, first.key, { aud: 'another-client' }), /its claim "aud"/],
  ['no audience', () => forged(ISSUER, first.key, { aud: undefined }), /its claim "aud"/],
  ['several audiences', () => forged(ISSUER, first.key, { aud: ['plinth', 'x'] }), /made for another client/],
  ['another party', () => forged(ISSUER, first.key, { azp: 'another-client' }), /made for another client/],
  ['its end', () => forged(ISSUER, first.key, { exp: nowSeconds - 120 }), /it has expired/],
  ['no end', () => forged(ISSUER, first.key, { exp: undefined }), /its claim "exp"/],
  ['its age', () => forged(ISSUER, first.key, { iat: nowSeconds - 900 }), /older than 10 minutes/],
  ['the future', () => forged(ISSUER, first.key, { iat: nowSeconds + 900 }), /its claim "iat"/],
  ['nobody', () => forged(ISSUER, first.key, { sub: undefined }), /its claim "sub"/],
  [
    'a key of its name',
    async () => forged(ISSUER, (await signingKey('first')).key),
    /not by a key of the issuer/,
  ],
  ['an unknown key', () => forged(ISSUER, first.key, {}, { kid: 'unknown' }), /the issuer has no such key/],
  ['another nonce', () => forged(ISSUER, first.key, { nonce: 'x' }), /its nonce names another key/],
  [
    'no signature',
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`,
    /no signed token|not accepted/,
  ],
  [
    'a shared secret: the public key',
    async () =>
      new SignJWT({ sub: 'ann' })
        .setProtectedHeader({ alg: 'HS256', kid: 'first' })
        .sign(Buffer.from(JSON.stringify(await exportJWK(first.key)))),
    /not accepted|no such key/,
  ],
  ['noise', async () => 'x', /no signed token/],
  ['its length', async () => 'y'.repeat(17_000), /more than 16384 characters/],
];

for (const [what, make, said] of cases)
  test(`a token is refused for ${what}, and never repeated in words`, async () => {
    const token = await make();
    const { code, message } = await refusal(verify(token));
    assert.deepEqual([code, said.test(message)], ['access/token-refused', true], `${said}: ${message}`);
    assert.ok(token.length < 40 || !message.includes(token.slice(0, 40)));
  });

test('a token without a nonce is refused where keys have to be bound', async () => {
  const token = await forged(ISSUER, first.key);
  assert.match((await refusal(verify(token, { requireKeyBinding: true }))).message, /it has no nonce/);
});

test('a token that was changed anywhere is refused', async () => {
  const token = await forged(ISSUER, first.key);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: token.length - 1 }),
      fc.constantFrom(...'AZaz09-_.'),
      async (at, letter) => {
        const bent = `${token.slice(0, at)}${letter}${token.slice(at + 1)}`;
        // The last letter of a part holds bits that mean nothing.
        const same = bent
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString('hex'))
          .join();
        const before = token
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString('hex'))
          .join();
        if (same === before) return;
        assert.equal((await refusal(verify(bent))).code, 'access/token-refused');
      },
    ),
    { numRuns: 200 },
  );
});
