import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parseAllDocuments, parseDocument } from 'yaml';
import { API_VERSION, allKinds } from '../machine-config.ts';
import { configs } from '../testing/configs.ts';
import { writeConfig } from '../write-config.ts';
import { describeFields } from './describe-fields.ts';
import { explainKey } from './explain.ts';
import { configJsonSchema } from './json-schema.ts';

const accepts = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  configJsonSchema(),
);

test('the JSON Schema is one, and knows every example', () => {
  for (const { kind, example } of allKinds) {
    const value = parseDocument(example).toJS() as Record<string, unknown>;
    assert.ok(accepts(value), `${kind}: ${JSON.stringify(accepts.errors)}`);
    assert.ok(!accepts({ ...value, nobodyKnows: 1 }), kind);
    assert.ok(!accepts({ ...value, kind: 'Pod' }), kind);
    assert.ok(!accepts({ ...value, apiVersion: 'v1' }), kind);
  }
  assert.ok(!accepts({ apiVersion: API_VERSION, kind: 'Machine' }));
});

test('the JSON Schema knows every config that is written', () => {
  fc.assert(
    fc.property(configs, (config) => {
      for (const document of parseAllDocuments(writeConfig(config)))
        assert.ok(accepts(document.toJS()), JSON.stringify(accepts.errors));
    }),
    { numRuns: 50 },
  );
});

test('every field and kind says what it is for, in a sentence', () => {
  for (const kind of allKinds) {
    assert.match(kind.summary, /^[A-Z].*\.$/, kind.kind);
    for (const { path, description, type } of describeFields(kind)) {
      assert.match(
        description,
        /^[A-Za-z0-9"/].*[.]$/s,
        `${path} has no description that ends like a sentence`,
      );
      assert.notEqual(type, '', path);
    }
  }
});

test('explainKey finds kinds and fields however they are written', () => {
  for (const key of [
    'network.interfaces[0].mtu',
    'network.interfaces.mtu',
    'Network.interfaces[].mtu',
    'NETWORK.interfaces.mtu',
  ])
    assert.equal(explainKey(key).field?.path, 'network.interfaces[].mtu', key);
  for (const kind of allKinds) {
    assert.equal(explainKey(kind.kind).kind, kind);
    assert.equal(explainKey(kind.property).fields.length, describeFields(kind).length);
    for (const { path } of describeFields(kind)) assert.equal(explainKey(path).field?.path, path);
  }
  const { field, fields } = explainKey('network.dns');
  assert.equal(field?.required, false);
  assert.deepEqual(
    fields.map(({ path }) => path),
    ['network.dns.servers', 'network.dns.searchDomains'],
  );
});

test('explainKey guesses what was meant', () => {
  assert.throws(() => explainKey('network.interfaces.mtuu'), {
    code: 'config/unknown-key',
    hint: 'Did you mean network.interfaces.mtu?',
  });
});
