import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { ArchiveIndex } from '../archive/package-index.ts';
import { type Fields, indexOf, packageParagraph } from '../testing/fake-archive.ts';
import type { PackageSet } from './package-set.ts';
import { resolveClosure } from './resolve-closure.ts';

type Spec = readonly [name: string, version: string, fields?: Fields];

const trixie = (...specs: readonly Spec[]) => indexOf(specs.map((spec) => packageParagraph(...spec)));

function set(wanted: readonly string[], dropped: readonly string[] = []): PackageSet {
  const listed = (names: readonly string[]) => names.map((name) => ({ name, reason: `${name} is wanted` }));
  return { suites: ['trixie'], packages: listed(wanted), dropped: listed(dropped) };
}

const names = (
  wanted: readonly string[],
  index: ArchiveIndex | ArchiveIndex[],
  dropped: readonly string[] = [],
) =>
  resolveClosure(set(wanted, dropped), [index].flat()).packages.map(
    ({ item }) => `${item.name} ${item.version}`,
  );

function failure(code: string, message: RegExp) {
  return (error: unknown) =>
    error instanceof PlinthError && error.code === code && message.test(error.message);
}

test('resolveClosure follows Depends and Pre-Depends, not Recommends, and says why', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'bb (>= 1)', 'Pre-Depends': 'cc', Recommends: 'dd' }],
    ['bb', '1', { Depends: 'cc, aa' }],
    ['cc', '1'],
    ['dd', '1'],
  );
  const { packages } = resolveClosure(set(['aa']), [index]);
  assert.deepEqual(
    packages.map(({ item, why }) => [item.name, why]),
    [
      ['aa', 'aa is wanted'],
      ['bb', 'needed by aa'],
      ['cc', 'needed by aa'],
    ],
  );
});

test('resolveClosure prefers what is chosen already, then the first alternative that can be had', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'absent | old (>= 2) | xx | yy' }],
    ['bb', '1', { Depends: 'yy | xx' }],
    ['wants-y', '1', { Depends: 'yy' }],
    ['old', '1'],
    ['xx', '1'],
    ['yy', '1'],
  );
  assert.deepEqual(names(['aa'], index), ['aa 1', 'xx 1']);
  assert.deepEqual(names(['bb', 'aa'], index), ['aa 1', 'bb 1', 'xx 1']);
  assert.deepEqual(names(['aa', 'wants-y'], index), ['aa 1', 'wants-y 1', 'yy 1']);
});

test('resolveClosure passes over an alternative that conflicts with what is chosen', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'xx | yy' }],
    ['bb', '1', { Conflicts: 'xx' }],
    ['xx', '1'],
    ['yy', '1'],
  );
  assert.deepEqual(names(['aa', 'bb'], index), ['aa 1', 'bb 1', 'yy 1']);
});

test('resolveClosure takes providers, by version only from a versioned Provides', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'virtual' }],
    ['bb', '1', { Depends: 'virtual (>= 2)' }],
    ['p-plain', '1', { Provides: 'virtual', Priority: 'required' }],
    ['p-two', '1', { Provides: 'virtual (= 2)' }],
  );
  assert.deepEqual(names(['aa'], index), ['aa 1', 'p-plain 1']);
  assert.deepEqual(names(['bb'], index), ['bb 1', 'p-two 1']);
  assert.deepEqual(names(['aa', 'bb'], index), ['aa 1', 'bb 1', 'p-two 1']);
});

test('resolveClosure minds architecture qualifiers', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'python:any' }],
    ['bb', '1', { Depends: 'plain:any' }],
    ['cc', '1', { Depends: 'plain:native, plain:amd64' }],
    ['dd', '1', { Depends: 'plain:arm64' }],
    ['python', '1', { 'Multi-Arch': 'allowed' }],
    ['plain', '1'],
    ['foreign', '1', { Architecture: 'arm64' }],
  );
  assert.deepEqual(names(['aa'], index), ['aa 1', 'python 1']);
  assert.throws(() => names(['bb'], index), failure('debian/unsatisfiable', /plain:any/));
  assert.deepEqual(names(['cc'], index), ['cc 1', 'plain 1']);
  assert.throws(() => names(['dd'], index), failure('debian/unsatisfiable', /plain:arm64/));
  assert.throws(() => names(['foreign'], index), failure('debian/unsatisfiable', /there is no foreign/));
});

test('resolveClosure leaves dropped packages out, with what only they need, and names useless drops', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'shell, tool (>= 2)' }],
    ['dash', '1', { Provides: 'shell', Depends: 'lib' }],
    ['tool', '1'],
    ['lib', '1'],
  );
  const { packages, unusedDrops } = resolveClosure(set(['aa'], ['dash', 'tool', 'lib']), [index]);
  assert.deepEqual(
    packages.map(({ item }) => item.name),
    ['aa'],
  );
  assert.deepEqual(unusedDrops, ['lib']);
});

test('resolveClosure takes the newest version of all suites, backports only when asked or when alone', () => {
  const main = trixie(['aa', '1.0', { Depends: 'only-there' }], ['bb', '1']);
  const security = indexOf([packageParagraph('aa', '1.0+deb13u1', { Depends: 'only-there' })], {
    suite: 'trixie-security',
    archive: 'security',
  });
  const backports = indexOf(
    [packageParagraph('aa', '2.0~bpo13+1'), packageParagraph('bb', '2'), packageParagraph('only-there', '3')],
    { suite: 'trixie-backports', notAutomatic: true },
  );
  const all = [main, security, backports];
  assert.deepEqual(names(['aa', 'bb'], all), ['aa 1.0+deb13u1', 'bb 1', 'only-there 3']);
  const asked: PackageSet = {
    suites: ['trixie', 'trixie-security', 'trixie-backports'],
    packages: [{ name: 'aa', reason: 'needed new', suite: 'trixie-backports' }],
    dropped: [],
  };
  assert.equal(resolveClosure(asked, all).packages[0]?.item.version, '2.0~bpo13+1');
});

test('resolveClosure tells the chain to what cannot be had', () => {
  const index = trixie(
    ['aa', '1', { Depends: 'bb' }],
    ['bb', '1', { Depends: 'cc (>= 2) | dd' }],
    ['cc', '1'],
  );
  assert.throws(
    () => resolveClosure(set(['aa']), [index]),
    failure(
      'debian/unsatisfiable',
      /plinth -> aa -> bb needs cc \(>= 2\) \| dd: newest cc is 1, there is no dd/,
    ),
  );
});

test('resolveClosure refuses packages that exclude each other, but not one that excludes its own kind', () => {
  const index = trixie(
    ['aa', '1', { Breaks: 'bb (<< 2)' }],
    ['bb', '1'],
    ['b2', '1', { Provides: 'bb (= 2)' }],
    ['mta', '1', { Provides: 'mail', Conflicts: 'mail' }],
    ['other-mta', '1', { Provides: 'mail' }],
  );
  assert.throws(() => names(['aa', 'bb'], index), failure('debian/conflict', /aa excludes bb \(<< 2\)/));
  assert.deepEqual(names(['aa', 'b2', 'mta'], index), ['aa 1', 'b2 1', 'mta 1']);
  assert.throws(() => names(['mta', 'other-mta'], index), failure('debian/conflict', /mta excludes mail/));
});

test('resolveClosure treats a dependency it cannot read as one that cannot be had', () => {
  const index = trixie(['aa', '1', { Depends: 'bb (~> 1)' }], ['bb', '1']);
  assert.throws(
    () => names(['aa'], index),
    failure('debian/unsatisfiable', /plinth -> aa needs bb \(~> 1\)/),
  );
});
