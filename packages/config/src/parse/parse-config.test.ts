import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeAuthority } from '@plinth/agent/testing';
import fc from 'fast-check';
import { parseConfig } from './parse-config.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

/** The single document of 0.1, which is still read. */
function config(name = 'node-1', pem = authority.certificatePem): string {
  const indented = pem.trim().split('\n').join('\n      ');
  return `apiVersion: plinth.dev/v1alpha1
kind: MachineConfig
metadata:
  name: ${name}
api:
  clientAuthorities:
    - |
      ${indented}
`;
}

function parse(text: string | Uint8Array) {
  return parseConfig(Buffer.from(text), 'config.yaml');
}

test('parseConfig reads YAML and JSON', () => {
  const yaml = parse(config());
  assert.ok(yaml.ok);
  assert.equal(yaml.value.machine.name, 'node-1');
  const { machine, api } = yaml.value;
  const json = { apiVersion: 'plinth.dev/v1alpha1', kind: 'MachineConfig', metadata: machine, api };
  assert.deepEqual(parse(JSON.stringify(json)), yaml);
});

/** A change of the good config, and where and what must be said. */
const mistakes: readonly (readonly [what: string, from: string, to: string, line: number, said: RegExp])[] = [
  [
    'a misspelt key',
    'clientAuthorities',
    'clientAuthorites',
    6,
    /unknown key "clientAuthorites".*did you mean "clientAuthorities"/,
  ],
  ['a key nobody knows', 'metadata:\n', 'metadata:\n  labels: {}\n', 4, /unknown key "labels"/],
  ['another kind', 'MachineConfig', 'Pod', 2, /Machine, ApiAccess/],
  ['another version', 'v1alpha1', 'v2', 1, /v1alpha1/],
  ['a host name with an underscore', 'node-1', 'node_1', 4, /host name/],
  ['a number for a name', 'node-1', '17', 4, /string/],
  ['a key twice', 'kind: MachineConfig', 'kind: MachineConfig\nkind: MachineConfig', 3, /unique/],
  ['a tab', '  name', '\tname', 4, /tab|indent/i],
];

for (const [what, from, to, line, said] of mistakes) {
  test(`parseConfig tells ${what} with its line`, () => {
    const result = parse(config().replace(from, to));
    assert.ok(!result.ok);
    const told = result.diagnostics.map(
      ({ span, code, message, hint }) => `${span?.line} ${code} ${message} ${hint}`,
    );
    const there = told.filter((text) => text.startsWith(`${line} config/invalid `));
    assert.match(there.join('\n'), said);
  });
}

test('parseConfig wants the certificate of an authority', () => {
  const leaf = authority.issue();
  for (const [pem, said] of [
    [leaf.certificatePem, /certificate of an authority/],
    [leaf.keyPem, /certificate in PEM/],
    ['no certificate', /certificate in PEM/],
    [authority.certificatePem + authority.certificatePem, /exactly one/],
  ] as const) {
    const result = parse(config('node-1', pem));
    assert.ok(!result.ok);
    assert.match(result.diagnostics[0]?.message ?? '', said);
  }
});

const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n`;
const hostile: readonly (readonly [what: string, input: string | Uint8Array, code: string])[] = [
  ['too many bytes', 'a'.repeat(256 * 1024 + 1), 'config/too-large'],
  ['deep brackets', '['.repeat(20_000), 'config/too-large'],
  ['deep sequences', '- '.repeat(20_000), 'config/too-large'],
  ['deep keys', '? '.repeat(20_000), 'config/too-large'],
  [
    'deep indentation',
    Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'config/too-large',
  ],
  ['aliases', config().replace('name: node-1', 'name: &n node-1\n  x: *n'), 'config/invalid'],
  ['a bomb of aliases', bomb, 'config/invalid'],
  ['NUL', `${config()}\0`, 'config/invalid'],
  ['bytes that are not UTF-8', Uint8Array.of(0x61, 0xff, 0xfe), 'config/invalid'],
  ['two documents', `${config()}---\n${config()}`, 'config/invalid'],
  ['a prototype', `${config()}__proto__: {}\n`, 'config/invalid'],
  ['nothing', '', 'config/invalid'],
];

for (const [what, input, code] of hostile) {
  test(`parseConfig refuses ${what}`, () => {
    const result = parse(input);
    assert.ok(!result.ok);
    assert.equal(result.diagnostics[0]?.code, code);
  });
}

test('parseConfig never throws and accepts no noise', () => {
  const lines = fc.array(
    fc.constantFrom(...config().split('\n'), '- &a *a', '{[', '? ', '!!binary x', '\u2028', '...'),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(parse(bytes).ok, false)));
  fc.assert(fc.property(lines, (some) => typeof parse(some.join('\n')).ok === 'boolean'));
});

test('parseConfig finds every cut of a good config wanting', () => {
  const whole = config();
  const cut = fc.integer({ min: 0, max: whole.indexOf('END CERTIFICATE') });
  fc.assert(fc.property(cut, (length) => assert.equal(parse(whole.slice(0, length)).ok, false)));
});
