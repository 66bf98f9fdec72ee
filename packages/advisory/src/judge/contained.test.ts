import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aliasSets } from './aliases.ts';
import { isContained } from './contained.ts';
import { compareSemver } from './semver.ts';

test('a version made for stable has what the version before the mark has, and nothing of its later siblings', () => {
  assert.equal(isContained('2.8.3-1', '2.8.3-1~deb13u1'), true);
  assert.equal(isContained('2.8.4-1', '2.8.3-1~deb13u1'), false);
  assert.equal(isContained('3.5.7-1~deb13u3', '3.5.7-1~deb13u2'), false);
  assert.equal(isContained('3.5.7-1~deb13u2', '3.5.7-1~deb13u2'), true);
  assert.equal(isContained('1.26.11-1', '1.26.11-1~bpo13+1'), true);
  assert.equal(isContained('8.14.1-2+deb13u6', '8.14.1-2+deb13u5'), false);
});

test('SemVer order, with the spellings of Go', () => {
  const order = [
    'v0.0.0-20251114084447-edf4cb3d2116',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    'v1.0.0+incompatible',
    '1.24rc1',
    'go1.24',
    '1.24.4',
    '1.24.11',
  ];
  for (const [i, a] of order.entries())
    for (const [j, b] of order.entries())
      assert.equal(Math.sign(compareSemver(a, b) ?? Number.NaN), Math.sign(i - j), `${a} ${b}`);
  assert.equal(compareSemver('1.2.3', 'devel'), undefined);
  // A pre-release that cannot be read is not the release.
  assert.equal(compareSemver('1.2.3-beta_1', '1.2.3'), undefined);
  assert.equal(compareSemver('go1.24.4 X:nocoverageredesign', '1.24.4'), 0);
});

test('alias sets are the same whatever order the pairs come in, and an advisory number joins nothing', () => {
  const id = fc.integer({ min: 1000, max: 1012 }).map((number) => `CVE-2026-${number}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(id, id), { maxLength: 12 }), (pairs) => {
      const [forward, backward] = [aliasSets([], pairs), aliasSets([], [...pairs].reverse())];
      for (const [a, b] of pairs) {
        assert.deepEqual(forward(a), backward(a));
        assert.equal(forward(a).id, forward(b).id);
      }
    }),
  );
  const sets = aliasSets(
    ['CVE-2026-1000', 'CVE-2026-1001'],
    [
      ['CVE-2026-1000', 'DSA-6000-1'],
      ['CVE-2026-1001', 'DSA-6000-1'],
    ],
  );
  assert.notEqual(sets('CVE-2026-1000').id, sets('CVE-2026-1001').id);
});
