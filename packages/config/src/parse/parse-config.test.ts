import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeAuthority } from '@plinth/agent/testing';
import fc from 'fast-check';
import { ACCESS, documents } from '../testing/configs.ts';
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
  ['a number for a name', 'node-1', '17', 4, /is a number, expected a text/],
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

const head = 'apiVersion: plinth.dev/v1alpha1';
const machine = `${head}\nkind: Machine\nname: node-1\n`;
const access = `${documents(ACCESS)}\n`;
const good = `${machine}---\n${access}`;

/** A stream of documents, and what must be said: "line path message hint". */
const streams: readonly (readonly [what: string, text: string, said: readonly RegExp[]])[] = [
  [
    'a misspelt kind',
    good.replace('Machine', 'Machin'),
    [/^2 undefined .*kind is "Machin".* did you mean "Machine"/],
  ],
  ['no kind', good.replace('kind: Machine\n', ''), [/^1 undefined .*no kind, expected one of Machine/]],
  [
    'a misspelt apiVersion',
    good.replace('apiVersion', 'apiversion'),
    [/^1 undefined .*unknown key "apiversion".* did you mean "apiVersion"/],
  ],
  ['a kind that is a map', good.replace('kind: Machine', 'kind: {a: b}'), [/^2 undefined .*kind is ""/]],
  ['a document that is a list', `${good}---\n- a\n`, [/^7 undefined .*no map/]],
  ['a document that is missing', machine, [/^undefined api .*no document of kind ApiAccess, expected one/]],
  ['a document twice', `${good}---\n${machine}`, [/^8 machine .*a second Machine, expected one document/]],
  ['a missing field', good.replace('name: node-1\n', ''), [/^1 machine\.name .*no "name", expected a text/]],
  [
    'a problem in each document, in one go',
    `${good.replace('node-1', 'node_1')}---\n${head}\nkind: Network\ninterfaces:\n  - mac: 52:54:00:0a:05:0b\n    dhcp: maybe\n    mtuu: 1500\n`,
    [
      /^3 machine\.name .*host name/,
      /^11 network\.interfaces\[0\]\.dhcp .*expected true or false/,
      /^12 network\.interfaces\[0\] .*unknown key "mtuu".* did you mean "mtu"/,
    ],
  ],
  [
    'a problem between links, where it stands in the text and not in the order of the keys',
    `${good}---\n${head}\nkind: Network\ninterfaces:\n  - {mac: "52:54:00:0a:05:0c", dhcp: true}\n  - {mac: "52:54:00:0a:05:0b"}\n`,
    [/^11 network\.interfaces\[1\] .*nothing to do/],
  ],
];
for (const [what, text, said] of streams) {
  test(`parseConfig tells ${what}`, () => {
    const result = parse(text);
    assert.ok(!result.ok);
    const told = result.diagnostics.map(
      ({ span, path, message, hint }) => `${span?.line} ${path} ${message} ${hint}`,
    );
    assert.equal(told.length, said.length, told.join('\n'));
    for (const [index, pattern] of said.entries()) assert.match(told[index] ?? '', pattern);
  });
}

test('parseConfig passes over empty documents and comments, and takes documents in any order', () => {
  const parsed = parse(`# first\n---\n# nothing\n---\n${access}---\n\n---\n${machine}...\n`);
  assert.deepEqual(parsed, parse(good));
  assert.ok(parsed.ok);
});
