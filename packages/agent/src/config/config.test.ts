import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { findConfig, keepConfig } from './find-config.ts';
import { parseMachineConfig } from './machine-config.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

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
  return parseMachineConfig(Buffer.from(text), 'config.yaml');
}

test('parseMachineConfig reads YAML and JSON', () => {
  const yaml = parse(config());
  assert.ok(yaml.ok);
  assert.equal(yaml.value.metadata.name, 'node-1');
  assert.deepEqual(parse(JSON.stringify(yaml.value)), yaml);
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
  ['another kind', 'MachineConfig', 'Pod', 2, /MachineConfig/],
  ['another version', 'v1alpha1', 'v2', 1, /v1alpha1/],
  ['a host name with an underscore', 'node-1', 'node_1', 4, /host name/],
  ['a number for a name', 'node-1', '17', 4, /string/],
  ['a key twice', 'kind: MachineConfig', 'kind: MachineConfig\nkind: MachineConfig', 3, /unique/],
  ['a tab', '  name', '\tname', 4, /tab|indent/i],
];

for (const [what, from, to, line, said] of mistakes) {
  test(`parseMachineConfig tells ${what} with its line`, () => {
    const result = parse(config().replace(from, to));
    assert.ok(!result.ok);
    const told = result.diagnostics.map(
      ({ span, code, message, hint }) => `${span?.line} ${code} ${message} ${hint}`,
    );
    const there = told.filter((text) => text.startsWith(`${line} agent/config-invalid `));
    assert.match(there.join('\n'), said);
  });
}

test('parseMachineConfig wants the certificate of an authority', () => {
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
  ['too many bytes', 'a'.repeat(64 * 1024 + 1), 'agent/config-too-large'],
  ['deep brackets', '['.repeat(20_000), 'agent/config-too-large'],
  ['deep sequences', '- '.repeat(20_000), 'agent/config-too-large'],
  ['deep keys', '? '.repeat(20_000), 'agent/config-too-large'],
  [
    'deep indentation',
    Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'agent/config-too-large',
  ],
  ['aliases', config().replace('name: node-1', 'name: &n node-1\n  x: *n'), 'agent/config-invalid'],
  ['a bomb of aliases', bomb, 'agent/config-invalid'],
  ['NUL', `${config()}\0`, 'agent/config-invalid'],
  ['bytes that are not UTF-8', Uint8Array.of(0x61, 0xff, 0xfe), 'agent/config-invalid'],
  ['two documents', `${config()}---\n${config()}`, 'agent/config-invalid'],
  ['a prototype', `${config()}__proto__: {}\n`, 'agent/config-invalid'],
  ['nothing', '', 'agent/config-invalid'],
];

for (const [what, input, code] of hostile) {
  test(`parseMachineConfig refuses ${what}`, () => {
    const result = parse(input);
    assert.ok(!result.ok);
    assert.equal(result.diagnostics[0]?.code, code);
  });
}

test('parseMachineConfig never throws and accepts no noise', () => {
  const lines = fc.array(
    fc.constantFrom(...config().split('\n'), '- &a *a', '{[', '? ', '!!binary x', '\u2028', '...'),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(parse(bytes).ok, false)));
  fc.assert(fc.property(lines, (some) => typeof parse(some.join('\n')).ok === 'boolean'));
});

test('parseMachineConfig finds every cut of a good config wanting', () => {
  const whole = config();
  const cut = fc.integer({ min: 0, max: whole.indexOf('END CERTIFICATE') });
  fc.assert(fc.property(cut, (length) => assert.equal(parse(whole.slice(0, length)).ok, false)));
});

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const DMI = '/sys/firmware/dmi/tables/DMI';

function smbios(text: string): Buffer {
  const strings = `something else\0dev.plinth/machine-config=${Buffer.from(text).toString('base64')}\0\0`;
  return Buffer.concat([
    Buffer.from([11, 5, 0, 0, 2]),
    Buffer.from(strings),
    Buffer.from([127, 4, 1, 0, 0, 0]),
  ]);
}

test('findConfig prefers fw_cfg, then SMBIOS, then the kept copy', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  const files = { [FW_CFG]: config('fw'), [DMI]: smbios(config('smb')) };
  const names: string[] = [];
  for (const sources of [files, { [DMI]: files[DMI] }, {}]) {
    const found = await findConfig(fakeSys({ files: sources }), store);
    assert.ok(found.ok);
    names.push(`${found.source} ${found.config.metadata.name}`);
  }
  assert.deepEqual(names, ['fw_cfg fw', 'smbios smb', 'persisted kept']);
});

test('findConfig does not hide a wrong config behind an older good one', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  const found = await findConfig(fakeSys({ files: { [FW_CFG]: config().replace('kind', 'kinds') } }), store);
  assert.ok(!found.ok);
  assert.match(found.problems.join('\n'), /unknown key "kinds" at line 2, column 1.*did you mean "kind"/);
});

test('findConfig says so when there is none', async () => {
  const found = await findConfig(fakeSys({}), memoryStore('a test'));
  assert.ok(!found.ok && found.code === 'agent/config-missing');
});

test('keepConfig stores what the machine gave, byte for byte', async () => {
  const store = memoryStore('a test');
  const found = await findConfig(fakeSys({ files: { [FW_CFG]: config('fw') } }), store);
  assert.ok(found.ok);
  await keepConfig(store, found);
  assert.equal((await store.read('machine-config'))?.toString(), config('fw'));
});
