import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_CERTIFICATE } from '../../framework/example-certificate.ts';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { logShippingKind } from './kind.ts';

const good = { server: 'logs.example', certificateAuthority: EXAMPLE_CERTIFICATE };

function document(fields: object): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'LogShipping', ...fields });
}

test('the example is read, and written and read again as the same', () => {
  const config = readDocument(logShippingKind.example);
  assert.deepEqual(config.logShipping, { ...good, port: 6514, priority: 'notice' });
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('a change takes neither a restart nor the network', () => {
  const [before, after] = [good, { ...good, port: 7000 }].map((each) => readDocument(document(each)));
  assert.ok(before && after);
  const plan = planConfig(before, after);
  assert.deepEqual(plan.effects, [{ kind: 'live' }]);
  assert.deepEqual([plan.files, plan.touchesNetwork], [[], false]);
});

for (const [what, fields, said] of [
  ['no authority', { server: 'logs.example' }, /certificateAuthority|expected a text/],
  ['a port in the name', { ...good, server: 'logs.example:6514' }, /IP address or a domain name/],
  ['a URL', { ...good, server: 'tcp://logs.example' }, /IP address or a domain name/],
  ['a number for the priority', { ...good, priority: 6 }, /one of emerg, .*info/],
  ['a protocol', { ...good, protocol: 'udp' }, /unknown key "protocol"/],
] as const) {
  test(`log shipping with ${what} is refused`, () => assert.match(problemsOf(document(fields)), said));
}
