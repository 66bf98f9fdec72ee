import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesSelector, parseSelector, type Requirement } from './selector.ts';

const choose = (text: string, labels: Record<string, string>) => matchesSelector(parseSelector(text), labels);

test('a selector chooses as kubectl does', () => {
  const node = { role: 'worker', zone: 'a', 'topology.kubernetes.io/region': 'eu', empty: '' };
  for (const yes of [
    'role=worker',
    'role==worker,zone=a',
    'role!=control-plane',
    'zone in (a,b)',
    'zone notin (b, c),role',
    '!gpu',
    'gpu!=yes',
    'topology.kubernetes.io/region=eu',
    'empty=',
  ])
    assert.equal(choose(yes, node), true, yes);
  for (const no of ['role=control-plane', 'zone notin (a)', '!zone', 'gpu', 'gpu in (yes)', 'zone in ()'])
    assert.equal(choose(no, node), false, no);
  // A name that every object has is no label.
  assert.equal(choose('constructor', node), false);
});

test('what is no selector is a usage error that shows it', () => {
  for (const bad of [
    '',
    'role=worker,',
    '=a',
    'a b',
    'a in b',
    'a=b=c',
    'a=b c',
    '!',
    'a in (b',
    '-a',
    'ü=1',
  ])
    assert.throws(() => parseSelector(bad), { code: 'cli/usage' }, bad);
  assert.throws(() => parseSelector('a'.repeat(5_000)), { code: 'cli/usage' });
});

const key = fc.stringMatching(/^[a-z][a-z0-9./-]{0,10}[a-z0-9]$/);
const value = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc
    .tuple(fc.boolean(), key, fc.array(value, { minLength: 1, maxLength: 3 }))
    .map(([negated, name, values]): Requirement => ({ kind: 'among', negated, key: name, values })),
  fc.tuple(fc.boolean(), key).map(([negated, name]): Requirement => ({ kind: 'exists', negated, key: name })),
);

const written = (one: Requirement): string =>
  one.kind === 'exists'
    ? `${one.negated ? '!' : ''}${one.key}`
    : `${one.key} ${one.negated ? 'notin' : 'in'} (${one.values.join(',')})`;

test('what is written is read as the same, and chooses by every condition', () => {
  fc.assert(
    fc.property(
      fc.array(requirement, { minLength: 1, maxLength: 4 }),
      fc.dictionary(key, value),
      (all, labels) => {
        assert.deepEqual(parseSelector(all.map(written).join(',')), all);
        assert.equal(
          matchesSelector(all, labels),
          all.every((one) => matchesSelector([one], labels)),
        );
      },
    ),
  );
});

test('any text is read or refused, nothing else', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      try {
        parseSelector(text);
      } catch (reason) {
        assert.match(String(reason), /--selector/);
      }
    }),
  );
});
