import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { updatePolicyKind } from './kind.ts';

const good = { sources: ['https://updates.example/plinth'] };

function document(fields: object): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'UpdatePolicy', ...fields });
}

const withCheck = (check: object) => document({ ...good, health: { checks: [check] } });

test('the example is read, and written and read again as the same', () => {
  const config = readDocument(updatePolicyKind.example);
  assert.equal(config.updatePolicy?.health.deadlineMinutes, 15);
  assert.deepEqual(
    config.updatePolicy?.health.checks.map(({ name }) => name),
    ['ingress', 'storage', 'upstream', 'web'],
  );
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('a source is enough: the channel is stable, a version has ten minutes, nothing is taken without being told', () => {
  const { updatePolicy } = readDocument(document(good));
  assert.deepEqual(updatePolicy, {
    ...good,
    channel: 'stable',
    hotLayers: 'manual',
    health: { deadlineMinutes: 10, checks: [] },
  });
});

test('a change takes neither a restart nor the network', () => {
  const [before, after] = [good, { ...good, channel: 'candidate' }].map((each) =>
    readDocument(document(each)),
  );
  assert.ok(before && after);
  const plan = planConfig(before, after);
  assert.deepEqual([plan.effects, plan.files, plan.touchesNetwork], [[{ kind: 'live' }], [], false]);
});

for (const [what, text, said] of [
  ['no source', document({ sources: [] }), /expected array to have >=1/],
  ['a file as the source', document({ sources: ['file:///etc/shadow'] }), /address of HTTP/],
  ['a password in the address', document({ sources: ['https://a:b@updates.example'] }), /no credentials/],
  ['a deadline of a day', document({ ...good, health: { deadlineMinutes: 1440 } }), /120/],
  ['a check that asks nothing', withCheck({ name: 'x' }), /exactly one of http, tcp, unit, pod, container/],
  [
    'a check that asks two things',
    withCheck({ name: 'x', unit: 'a.service', tcp: { host: 'a.example', port: 1 } }),
    /exactly one of http/,
  ],
  ['an image without its digest', withCheck({ name: 'x', container: { image: 'a.example/x:1' } }), /sha256/],
  ['a unit with a path', withCheck({ name: 'x', unit: '../a.service' }), /expected a unit/],
  ['labels that are none', withCheck({ name: 'x', pod: { namespace: 'a', labels: 'a&b' } }), /labels as of/],
] as const) {
  test(`an update policy with ${what} is refused`, () => assert.match(problemsOf(text), said));
}
