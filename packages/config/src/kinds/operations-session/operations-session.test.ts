import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { operationsSessionKind } from './kind.ts';

const image = `registry.example:5000/tools:3@sha256:${'ab'.repeat(32)}`;

function document(fields: object): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'OperationsSession', ...fields });
}

test('the example is read, and written and read again as the same', () => {
  const config = readDocument(operationsSessionKind.example);
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('without the document there is none; with it, the level that changes nothing', () => {
  assert.equal(readDocument('').operationsSession, undefined);
  assert.deepEqual(readDocument(document({ image })).operationsSession, {
    ...{ image, levels: ['view'], longest: '1h' },
  });
});

test('keys that sign the image are public, of a kind that signs, and one to a field', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  assert.deepEqual(readDocument(document({ image, signedBy: [pem] })).operationsSession?.signedBy, [pem]);
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const agreeing = generateKeyPairSync('x25519').publicKey;
  for (const wrong of [
    pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    `${pem}${pem}`,
    weak.export({ type: 'spki', format: 'pem' }).toString(),
    agreeing.export({ type: 'spki', format: 'pem' }).toString(),
    pem.replace('M', ''),
    'a key',
  ])
    assert.match(problemsOf(document({ image, signedBy: [wrong] })), /one public key in PEM/);
  assert.match(problemsOf(document({ image, signedBy: [] })), />=1 items/);
});

test('it is turned off without a restart', () => {
  const plan = planConfig(readDocument(document({ image })), readDocument(''));
  assert.deepEqual(plan.effects, [{ kind: 'live' }]);
});

for (const [what, fields, said] of [
  ['a tag alone', { image: 'registry.example/tools:1' }, /digest/],
  ['no level', { image, levels: [] }, />=1 items/],
  ['a level twice', { image, levels: ['full', 'full'] }, /each level once/],
  ['another level', { image, levels: ['root'] }, /view, full|one of/],
  ['no end', { image, longest: '24h' }, /1m to 8h/],
] as const) {
  test(`sessions with ${what} are refused`, () => assert.match(problemsOf(document(fields)), said));
}
