import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_CERTIFICATE } from '../../framework/example-certificate.ts';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { trustedCAsKind } from './kind.ts';

function document(...authorities: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'TrustedCAs', authorities });
}

const one = { name: 'one', certificate: EXAMPLE_CERTIFICATE };

test('each authority has a file of its own', () => {
  const config = readDocument(trustedCAsKind.example);
  const files = renderConfig(config).filter(({ path }) => path.startsWith('/etc/ssl/'));
  assert.deepEqual(files, [
    {
      path: '/etc/ssl/certs/plinth-config-company.pem',
      mode: 0o644,
      text: EXAMPLE_CERTIFICATE,
      secret: false,
    },
  ]);
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('the order of authorities means nothing; a change restarts containerd', () => {
  const two = { ...one, name: 'two' };
  const [config, other] = [readDocument(document(one, two)), readDocument(document(two, one))];
  assert.deepEqual(planConfig(config, other).changes, []);
  const plan = planConfig(config, readDocument(document(one)));
  assert.deepEqual(
    plan.changes.map(({ path }) => path),
    ['trustedCAs.authorities[two]'],
  );
  assert.deepEqual(plan.files, [{ path: '/etc/ssl/certs/plinth-config-two.pem', action: 'remove' }]);
  assert.deepEqual(plan.effects, [{ kind: 'restart', unit: 'containerd.service' }]);
});

for (const [what, authority, said] of [
  ['a way out of the folder', { ...one, name: '../x' }, /lower-case letters/],
  ['no certificate', { ...one, certificate: 'none' }, /one certificate in PEM/],
  ['two certificates', { ...one, certificate: EXAMPLE_CERTIFICATE.repeat(2) }, /exactly one/],
] as const) {
  test(`an authority with ${what} is refused`, () => assert.match(problemsOf(document(authority)), said));
}

test('a name that stands twice is refused', () => {
  assert.match(problemsOf(document(one, one)), /each name once/);
});
