import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EXAMPLE_CERTIFICATE } from '../../framework/example-certificate.ts';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { redactConfig } from '../../redact-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument, withDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { registriesKind } from './kind.ts';
import { mirrorUrlProblem } from './mirror-url.ts';

const USER = { username: 'node', password: 'a"password\\of #the test' };
const CA = EXAMPLE_CERTIFICATE;

function document(...registries: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'Registries', registries });
}

function filesOf(text: string) {
  return renderConfig(readDocument(text)).filter(({ path }) => path.startsWith('/etc/containerd/'));
}

test('the example makes a folder for each registry', () => {
  const files = filesOf(registriesKind.example);
  assert.deepEqual(
    files.map(({ path, mode, secret }) => [path, mode, secret]),
    [
      ['/etc/containerd/certs.d/private.example_5000_/hosts.toml', 0o600, true],
      ['/etc/containerd/certs.d/registry.example/hosts.toml', 0o600, true],
    ],
  );
  assert.deepEqual(filesOf(document()), []);
});

test('mirrors stand in their order, the registry or the last mirror comes last', () => {
  const mirrors = [
    { url: 'https://one.example', certificateAuthority: CA },
    { url: 'https://two.example:5000/v2/proxy', credentials: { username: 'a', password: 'b' } },
  ];
  const [ca, hosts] = filesOf(document({ host: 'registry.example', mirrors }));
  assert.deepEqual([ca?.path, ca?.text], ['/etc/containerd/certs.d/registry.example/ca-mirror-1.pem', CA]);
  assert.equal(
    hosts?.text,
    `[host."https://one.example"]
capabilities = ["pull", "resolve"]
ca = "ca-mirror-1.pem"

[host."https://two.example:5000/v2/proxy"]
capabilities = ["pull", "resolve"]
override_path = true

[host."https://two.example:5000/v2/proxy".header]
Authorization = "Basic YTpi"
`,
  );
  const alone = filesOf(document({ host: 'registry.example', mirrors, fallback: false })).at(-1);
  assert.equal(
    alone?.text,
    `server = "https://two.example:5000/v2/proxy"
override_path = true

[header]
Authorization = "Basic YTpi"

[host."https://one.example"]
capabilities = ["pull", "resolve"]
ca = "ca-mirror-1.pem"
`,
  );
});

test('a folder is called as containerd looks for it', () => {
  for (const [host, folder] of [
    ['*', '_default'],
    ['registry.example', 'registry.example'],
    ['registry.example:5000', 'registry.example_5000_'],
    ['10.1.2.3:443', '10.1.2.3_443_'],
  ]) {
    const [file] = filesOf(document({ host, mirrors: [{ url: 'https://m.example' }] }));
    assert.equal(file?.path, `/etc/containerd/certs.d/${folder}/hosts.toml`);
  }
});

const mirror = { url: 'https://m.example' };
const wrong: readonly (readonly [what: string, entry: object, said: RegExp])[] = [
  ['nothing to say', { host: 'r.example' }, /changes nothing/],
  ['a name that is no registry', { host: 'library', mirrors: [mirror] }, /registry as images name it/],
  ['a way out of the folder', { host: '../r.example', mirrors: [mirror] }, /registry as images name it/],
  ['capitals', { host: 'R.example', mirrors: [mirror] }, /registry as images name it/],
  [
    'credentials for all',
    { host: '*', mirrors: [mirror], credentials: USER },
    /every registry would be told/,
  ],
  ['an authority for all', { host: '*', mirrors: [mirror], certificateAuthority: CA }, /TrustedCAs/],
  ['nowhere to ask', { host: 'r.example', fallback: false, credentials: USER }, /no mirror and no fallback/],
  [
    'settings that are never used',
    { host: 'r.example', mirrors: [mirror], fallback: false, credentials: USER },
    /never asked/,
  ],
  ['a mirror twice', { host: 'r.example', mirrors: [mirror, mirror] }, /each url once/],
  ['a mirror in the clear', { host: 'r.example', mirrors: [{ url: 'http://m.example' }] }, /in the clear/],
  ['a user name with a colon', { host: 'r.example', credentials: { ...USER, username: 'a:b' } }, /colons/],
  ['a password of two lines', { host: 'r.example', credentials: { ...USER, password: 'a\nb' } }, /one line/],
  ['a key for an authority', { host: 'r.example', certificateAuthority: 'no' }, /one certificate/],
];
for (const [what, entry, said] of wrong) {
  test(`a registry with ${what} is refused`, () => assert.match(problemsOf(document(entry)), said));
}

test('a problem does not show the password', () => {
  const said = problemsOf(
    document({ host: 'r.example', credentials: { ...USER, password: 'hidden\nword' } }),
  );
  assert.notEqual(said, '');
  assert.ok(!said.includes('hidden'));
});

test('credentials are in no plan and no config that is shown, wherever they stand', () => {
  const given = (password: string) =>
    readDocument(
      document({
        host: 'r.example',
        credentials: { username: 'node', password },
        mirrors: [{ ...mirror, credentials: { username: 'node', password } }],
      }),
    );
  const [before, after] = [given('first-secret'), given('second-secret')];
  for (const plan of [
    planConfig(undefined, after),
    planConfig(before, after),
    planConfig(after, readDocument('')),
  ]) {
    assert.doesNotMatch(JSON.stringify(plan), /(first|second)-secret/);
    assert.ok(plan.changes.some(({ secret }) => secret));
  }
  assert.doesNotMatch(JSON.stringify(redactConfig(after)), /second-secret/);
  const changed = planConfig(before, after);
  assert.deepEqual(changed.effects, [{ kind: 'live' }]);
  assert.equal(changed.touchesNetwork, false);
});

test('an address of a mirror has one spelling', () => {
  for (const good of [
    ...['https://m.example', 'https://m.example:5000', 'https://10.1.2.3', 'https://[fd00::1]:5000/v2'],
    'https://m.example/v2/proxy',
  ])
    assert.equal(mirrorUrlProblem(good), undefined, good);
  for (const bad of [
    ...[
      'm.example',
      'https://M.example',
      'https://m.example/',
      'https://m.example:443',
      'https://m.example/a/',
    ],
    ...['https://m.example/a//b', 'https://m.example/../a', 'https://u:p@m.example', 'https://m.example?a=b'],
    ...['https://m.example/"', 'https://m.example#a', 'https://m.example/ü', ' https://m.example', ''],
  ])
    assert.notEqual(mirrorUrlProblem(bad), undefined, bad);
});

test('no text that is taken for an address or a password breaks out of its place in the file', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withQueryParameters: true }), fc.string());
  fc.assert(
    fc.property(text, fc.string({ unit: 'grapheme', minLength: 1 }), (url, password) => {
      const entry = {
        host: 'r.example',
        mirrors: [{ url, credentials: { username: 'node', password } }],
      };
      const read = parseConfig(Buffer.from(withDocument(document(entry))), 'config.yaml');
      if (!read.ok) return;
      const file = renderConfig(read.value).find(({ path }) => path.endsWith('hosts.toml'));
      const lines = (file?.text ?? '').split('\n').filter((line) => line !== '');
      assert.equal(lines.filter((line) => line.startsWith('[host.')).length, 2);
      for (const line of lines) assert.match(line, /^\[host\."[^"\\]+"(\.header)?\]$|^[A-Za-z_]+ = [^\\]+$/);
    }),
  );
});

const anyMirror = fc.record(
  {
    url: fc.constantFrom('https://a.example', 'https://b.example/v2/x', 'https://c.example:5000'),
    certificateAuthority: fc.constant(CA),
    credentials: fc.record({
      username: fc.stringMatching(/^[a-z]{1,8}$/),
      password: fc.stringMatching(/^[ -~]{1,20}$/),
    }),
  },
  { requiredKeys: ['url'] },
);
const anyRegistry = fc.record({
  host: fc.constantFrom('*', 'a.example', 'b.example:5000', 'localhost:5000'),
  mirrors: fc.uniqueArray(anyMirror, { selector: ({ url }) => url, minLength: 1, maxLength: 3 }),
  fallback: fc.boolean(),
});

test('every config of registries is read, written and read again as the same, and renders the same in any order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyRegistry, { selector: ({ host }) => host, maxLength: 4 }), (registries) => {
      const config = readDocument(document(...registries));
      const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
      assert.ok(again.ok);
      assert.deepEqual(again.value, config);
      assert.deepEqual(
        renderConfig(readDocument(document(...registries.toReversed()))),
        renderConfig(config),
      );
    }),
    { numRuns: 50 },
  );
});
