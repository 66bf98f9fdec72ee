import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '@plinth/host/testing';
import { build } from 'esbuild';
import { exportJWK, SignJWT } from 'jose';
import { V8_FLAGS } from '../../build/runtime-flags.ts';

// The runtime of a node has no just-in-time code, no WebAssembly, no eval and frozen objects: a library of tokens has to
// work there, and not only here.

// Bundled as plinthd is: without WebAssembly no types can be stripped there.
const script = join(await scratchFolder('login-runtime'), 'verify-once.mjs');
await build({
  entryPoints: [fileURLToPath(new URL('./testing/verify-once.ts', import.meta.url))],
  ...{ outfile: script, bundle: true, platform: 'node', format: 'esm', target: 'node26', logLevel: 'silent' },
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
const flags = [...V8_FLAGS, '--frozen-intrinsics', '--disable-proto=throw', '--no-addons'];
const settings = {
  ...{ issuer: 'https://login.example', clientId: 'plinth', certificateAuthority: '', scopes: [] },
  ...{
    usernameClaim: 'sub',
    groupsClaim: 'groups',
    maxTtl: '8h',
    endWithToken: true,
    requireKeyBinding: false,
  },
  roles: [{ role: 'admin', groups: ['ops'] }],
};

const kinds = [
  ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['PS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['EdDSA', () => generateKeyPairSync('ed25519')],
] as const;

for (const [alg, make] of kinds)
  test(`a token signed by ${alg} is checked in the runtime of plinthd`, async () => {
    const { privateKey, publicKey } = make();
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg };
    const token = await new SignJWT({ groups: ['ops'] })
      .setProtectedHeader({ alg, kid: 'k' })
      .setIssuer(settings.issuer)
      .setAudience('plinth')
      .setSubject('ann')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
    const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = holder.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const input = JSON.stringify({ token, spki, settings, keys: { keys: [jwk] } });
    const output = execFileSync(
      process.execPath,
      [...flags, '--disable-warning=ExperimentalWarning', script],
      {
        input,
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    const answer = JSON.parse(output) as { certificatePem: string; authorityPem: string };
    const certificate = new X509Certificate(answer.certificatePem);
    assert.ok(certificate.verify(new X509Certificate(answer.authorityPem).publicKey));
    assert.match(certificate.subject, /O=plinth:admin \+ CN=oidc:ann/);
  });
