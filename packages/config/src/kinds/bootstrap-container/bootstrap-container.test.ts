import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { redactConfig } from '../../redact-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { bootstrapContainerKind } from './kind.ts';
import { allowedPlaces, placeOf } from './mounts.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const good = { name: 'cache', image: `registry.example/setup@${DIGEST}` };

function document(...all: readonly object[]): string {
  return all
    .map((fields) =>
      JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'BootstrapContainer', ...fields }),
    )
    .join('\n---\n');
}

test('the example is read, and written and read again as the same', () => {
  const config = readDocument(bootstrapContainerKind.example);
  assert.equal(config.bootstrapContainers[0]?.essential, true);
  const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
  assert.ok(again.ok);
  assert.deepEqual(again.value, config);
});

test('what is not said is as careful as can be', () => {
  assert.deepEqual(readDocument(document(good)).bootstrapContainers, [
    { ...good, env: [], mounts: [], timeout: '5m', essential: false, run: 'on-change' },
  ]);
});

test('several stand beside each other, and a name once', () => {
  const two = readDocument(document({ ...good, name: 'b' }, { ...good, name: 'a' }));
  assert.deepEqual(two.bootstrapContainers.map(({ name }) => name).toSorted(), ['a', 'b']);
  assert.notEqual(problemsOf(document(good, good)), '');
});

test('a change waits for the next boot; the data is in no plan', () => {
  const [before, after] = ['first-secret', 'second-secret'].map((data) =>
    readDocument(document({ ...good, data })),
  );
  assert.ok(before && after);
  const plan = planConfig(before, after);
  assert.equal(plan.effects[0]?.kind, 'reboot');
  assert.doesNotMatch(JSON.stringify(plan), /(first|second)-secret/);
  assert.doesNotMatch(JSON.stringify(redactConfig(after)), /second-secret/);
});

for (const [what, fields, said] of [
  ['a tag alone', { ...good, image: 'registry.example/setup:1' }, /digest/],
  ['no registry', { ...good, image: `setup@${DIGEST}` }, /registry/],
  ['a short digest', { ...good, image: 'registry.example/setup@sha256:12' }, /digest/],
  ['capitals in the path', { ...good, image: `registry.example/Setup@${DIGEST}` }, /registry/],
  ['a place of the node that is not on the list', { ...good, mounts: [{ path: '/etc' }] }, /one of/],
  ['a way out of a place', { ...good, mounts: [{ path: '/var/local/../lib' }] }, /one of/],
  ['the secrets of the node', { ...good, mounts: [{ path: '/var/lib/plinth' }] }, /one of/],
  [
    'a place to write that is read-only',
    { ...good, mounts: [{ path: '/usr', writable: true }] },
    /read-only/,
  ],
  ['a variable of no name', { ...good, env: [{ name: 'A=B', value: '' }] }, /letters, digits/],
  ['no time', { ...good, timeout: '0s' }, /1s to 1h/],
  ['too much time', { ...good, timeout: '2h' }, /1s to 1h/],
  ['another way to run', { ...good, run: 'always' }, /once, on-change|one of/],
  ['a name with a slash', { ...good, name: 'a/b' }, /lower-case letters/],
  ['privileges', { ...good, privileged: true }, /unknown key "privileged"/],
] as const) {
  test(`a container with ${what} is refused`, () => assert.match(problemsOf(document(fields)), said));
}

test('no path leads out of the places that may be seen', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'var', 'local', 'lib', 'usr', 'etc', 'plinth'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = `/${parts.join('/')}`;
      if (placeOf(path) === undefined) return;
      assert.ok(
        allowedPlaces.some((place) => path === place.path || path.startsWith(`${place.path}/`)),
        path,
      );
      assert.equal(new URL(`file://${path}`).pathname, path);
    }),
    { numRuns: 2000 },
  );
});
