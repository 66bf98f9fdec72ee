import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIssuerKeys } from './issuer-keys.ts';

const HOUR_MS = 3600_000;
const at = { issuer: 'https://login.example/realm', certificateAuthority: 'PEM' };

/** An issuer with a clock of its own. */
function world() {
  const asked: string[] = [];
  const document: unknown = { issuer: at.issuer, jwks_uri: 'https://keys.example/jwks' };
  const self = { now: 0, kid: 'first', away: false, asked, document };
  const keys = openIssuerKeys(at, {
    nowMs: () => self.now,
    fetch: async (url, caPem) => {
      assert.equal(caPem, 'PEM');
      asked.push(url.href);
      if (self.away) throw new Error('it refuses connections');
      return url.pathname.endsWith('openid-configuration')
        ? self.document
        : { keys: [{ kty: 'EC', kid: self.kid }] };
    },
  });
  const kidOf = async (unknownKey = false) => (await keys.get(unknownKey)).keys[0]?.kid;
  return Object.assign(self, { kidOf });
}

test('keys are found by discovery, kept for an hour, and asked for anew then', async () => {
  const issuer = world();
  assert.equal(await issuer.kidOf(), 'first');
  assert.deepEqual(issuer.asked, [
    'https://login.example/realm/.well-known/openid-configuration',
    'https://keys.example/jwks',
  ]);
  issuer.kid = 'second';
  issuer.now = HOUR_MS;
  assert.equal(await issuer.kidOf(), 'first');
  issuer.now = HOUR_MS + 1;
  assert.equal(await issuer.kidOf(), 'second');
});

test('a key nobody knows makes it ask again, but not for each token that names one', async () => {
  const issuer = world();
  await issuer.kidOf();
  issuer.kid = 'second';
  issuer.now = 10_000;
  assert.equal(await issuer.kidOf(true), 'first');
  issuer.now = 30_001;
  assert.equal(await issuer.kidOf(true), 'second');
  for (let token = 0; token < 100; token++) await issuer.kidOf(true);
  assert.equal(issuer.asked.length, 4);
});

test('callers that come together ask once', async () => {
  const issuer = world();
  await Promise.all(Array.from({ length: 20 }, () => issuer.kidOf(true)));
  assert.ok(issuer.asked.length <= 4, `${issuer.asked.length}`);
});

test('while the issuer is away known keys hold for a day and no longer', async () => {
  const issuer = world();
  await issuer.kidOf();
  issuer.away = true;
  issuer.now = 24 * HOUR_MS;
  assert.equal(await issuer.kidOf(), 'first');
  issuer.now = 24 * HOUR_MS + 60_000;
  await assert.rejects(issuer.kidOf(), {
    code: 'access/issuer-unreachable',
    message: /does not give its keys: it refuses connections/,
  });
  issuer.away = false;
  issuer.now += 60_000;
  assert.equal(await issuer.kidOf(), 'first');
});

test('a discovery document of another issuer, or keys without TLS, are not believed', async () => {
  for (const document of [
    { issuer: 'https://evil.example', jwks_uri: 'https://keys.example/jwks' },
    { issuer: at.issuer, jwks_uri: 'http://keys.example/jwks' },
    { issuer: at.issuer },
    'text',
  ]) {
    const issuer = world();
    issuer.document = document;
    await assert.rejects(issuer.kidOf(), { code: 'access/issuer-unreachable' });
  }
});
