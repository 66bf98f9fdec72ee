import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { redactData, redactText } from './redact.ts';

const alphabet = (chars: string, length: number) =>
  fc
    .array(fc.constantFrom(...chars), { minLength: length, maxLength: length })
    .map((letters) => letters.join(''));
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const MIXED = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const BASE64 = `${MIXED}+/`;
const FIELDS = [
  ...[
    'password',
    'DB_PASSWORD',
    'clientSecret',
    'client-key-data',
    'apiKey',
    'api_key',
    'AWS_SECRET_ACCESS_KEY',
  ],
  ...[
    'token',
    'bootstrapToken',
    'passphrase',
    'private-key',
    'certificateKey',
    'encryption_key',
    'auth.token',
  ],
];
const fields = fc.constantFrom(...FIELDS);
/** A value that shows by nothing that it is a secret. */
const plain = fc.integer({ min: 8, max: 30 }).chain((length) => alphabet(MIXED, length));
const around = fc.constantFrom(
  '',
  'Nov 21 10:00:00 node-1 kubelet[12]: ',
  'level=info msg="starting" ',
  'I1121 10:00:00.000000 1 server.go:12] ',
);

/** A secret in a place where secrets are found, with the text that must not be seen. */
interface Planted {
  readonly text: string;
  readonly secret: string;
}

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs1',
  format: 'pem',
});
const bodyOf = (text: string) => text.split('\n')[1] ?? '';

const byName = fc
  .record({
    field: fields,
    secret: plain,
    put: fc.constantFrom<(field: string, secret: string) => string>(
      (field, secret) => `${field}=${secret}`,
      (field, secret) => `${field}: ${secret}`,
      (field, secret) => `${field}: "${secret}"`,
      (field, secret) => `{"${field}":"${secret}","next":1}`,
      (field, secret) => `{"msg":"{\\"${field}\\":\\"${secret}\\"}"}`,
      (field, secret) => `'${field}' = '${secret}'`,
      (field, secret) => `--${field} ${secret} --verbose`,
      (field, secret) => `--${field}=${secret}`,
      (field, secret) => `https://host/path?a=1&${field}=${secret}&b=2`,
    ),
  })
  .map(({ field, secret, put }): Planted => ({ text: put(field, secret), secret }));

const byLook = fc.oneof(
  fc
    .tuple(alphabet(LOWER, 6), alphabet(LOWER, 16))
    .map(([id, secret]): Planted => ({ text: `kubeadm join --token ${id}.${secret} now`, secret })),
  fc
    .tuple(alphabet(LOWER, 6), alphabet(LOWER, 16))
    .map(([id, secret]): Planted => ({ text: `using "${id}.${secret}"`, secret })),
  alphabet('0123456789abcdef', 64).map((secret): Planted => ({ text: `upload with ${secret} done`, secret })),
  fc.uint8Array({ minLength: 40, maxLength: 90 }).map((bytes): Planted => {
    const secret = Buffer.from(bytes).toString('base64url');
    return { text: `got eyJhbGciOiJSUzI1NiJ9.${secret}.${secret} from it`, secret };
  }),
  plain.map((secret): Planted => ({ text: `curl -H "Authorization: Bearer ${secret}" x`, secret })),
  plain.map((secret): Planted => ({ text: `Authorization: Basic ${secret}`, secret })),
  plain.map((secret): Planted => ({ text: `sending bearer ${secret}`, secret })),
  plain.map((secret): Planted => ({ text: `pulling https://user:${secret}@registry.example/v2/`, secret })),
  alphabet(MIXED, 36).map((secret): Planted => ({ text: `remote ghp_${secret}.`, secret })),
  alphabet(LOWER.toUpperCase(), 16).map((secret): Planted => ({ text: `id AKIA${secret} used`, secret })),
  alphabet(LOWER.toUpperCase(), 58).map((secret): Planted => ({ text: `AGE-SECRET-KEY-1${secret}`, secret })),
  plain.map((secret): Planted => ({ text: `Set-Cookie: session=${secret}; Path=/`, secret })),
  fc
    .constantFrom(String(pem), String(rsa))
    .chain((key) =>
      fc
        .constantFrom(key, JSON.stringify({ key }), key.replaceAll('\n', '\n  '), key.slice(0, 140))
        .map((text): Planted => ({ text, secret: bodyOf(key).slice(0, 40) })),
    ),
  // One line of a key whose block was cut, and a key of 32 bytes as files of settings hold it.
  fc
    .constantFrom(bodyOf(String(rsa)), bodyOf(String(pem)))
    .map((secret): Planted => ({ text: `line ${secret}`, secret })),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('base64'))
    .filter((secret) => /[A-Z]/.test(secret) && /[a-z]/.test(secret) && /\d/.test(secret))
    .map((secret): Planted => ({ text: `kms: ${secret}`, secret })),
  alphabet(BASE64, 200)
    .filter((secret) => /[A-Z]/.test(secret) && /[a-z]/.test(secret) && /\d/.test(secret))
    .map((secret): Planted => ({ text: `    client-key-data: ${secret}`, secret })),
);

suite('a secret is not in what was redacted', () => {
  for (const [what, planted] of [
    ['named', byName],
    ['seen by its look', byLook],
  ] as const) {
    test(`${what}, in free text`, () => {
      fc.assert(
        fc.property(planted, around, around, ({ text, secret }, before, after) => {
          const clean = redactText(`${before}${text}\n${after}`);
          assert.equal(clean.includes(secret), false, clean);
          assert.ok(clean.startsWith(before), clean);
        }),
        { numRuns: 2000 },
      );
    });

    test(`${what}, in data`, () => {
      fc.assert(
        fc.property(planted, ({ text, secret }) => {
          // Answers of the API hold digests, which stay; a key of 64 digits has a name there.
          if (/^[0-9a-f]{64}$/.test(secret)) return;
          const clean = JSON.stringify(redactData({ list: [{ message: text }] }));
          assert.equal(clean.includes(secret), false, clean);
        }),
        { numRuns: 1000 },
      );
    });
  }

  test('in a field of data, whatever it looks like', () => {
    fc.assert(
      fc.property(fields, fc.string({ minLength: 6 }), (field, secret) => {
        const clean = redactData({ spec: [{ [field]: secret }] });
        assert.deepEqual(clean, { spec: [{ [field]: '[redacted value]' }] });
      }),
    );
  });

  test('many at once, in any order; a second time nothing changes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(byName, byLook), { maxLength: 6 }), (list) => {
        const clean = redactText(list.map(({ text }) => text).join('\n'));
        for (const { secret } of list) assert.equal(clean.includes(secret), false, clean);
        assert.equal(redactText(clean), clean);
      }),
      { numRuns: 500 },
    );
  });
});

test('what people need to understand a node stays', () => {
  const digest = createHash('sha256').update('a').digest('hex');
  const kept = [
    'Nov 21 10:00:00 node-1 systemd[1]: Started containerd.service - container runtime.',
    'E1121 10:00:00.123456 812 kubelet.go:2912] "Container runtime network not ready" networkReady="NetworkReady=false"',
    `Pulled image registry.example/app@sha256:${digest}`,
    'Mounted /var/lib/kubelet/pods/0b0d6a58-5c0b-4f0f-8f0e-2a6a3f1f0c11/volumes/kubernetes.io~projected',
    'error: secretName: web-tls not found',
    'token: null',
    'EXT4-fs (vda9): mounted filesystem 6f3c2c9e-8d8b-4b57-b0a1-1f9b8f7a3f10 r/w with ordered data mode',
    'audit: type=1400 audit(1763719200.123:42): avc: denied { read } for pid=812 comm="kubelet"',
  ];
  for (const line of kept) assert.equal(redactText(line), line);
  const answer = {
    rootHash: digest,
    certificateFingerprint: `sha256:${digest}`,
    tokenExpiresAt: 'soon',
    ok: true,
  };
  assert.deepEqual(redactData(answer), answer);
});

test('a large text is redacted in time that grows with it', () => {
  const line = `Nov 21 10:00:00 node-1 app[1]: ${'a=b c:d '.repeat(20)}${randomBytes(30).toString('base64')}\n`;
  for (const text of [
    line.repeat(20_000),
    'a'.repeat(2_000_000),
    '-----BEGIN PRIVATE KEY-----'.repeat(20_000),
    'token:'.repeat(100_000),
  ]) {
    const startedMs = performance.now();
    redactText(text);
    assert.ok(performance.now() - startedMs < 120_000, `${text.slice(0, 30)} took too long`);
  }
});
