import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import type { FactsFile } from '../release/facts/release-facts.ts';
import { type HotFacts, planHotLayer } from './plan-hot-layer.ts';

const LIB = '/usr/lib/x86_64-linux-gnu';
const file = (path: string, content: string, changes: Partial<FactsFile> = {}): FactsFile => ({
  ...{
    path,
    kind: 'file',
    mode: 0o644,
    sizeBytes: content.length,
    owner: 'p',
    sha256: content.padEnd(64, '0'),
  },
  ...changes,
});
const link = (path: string, target: string): FactsFile => ({
  ...{ path, kind: 'symlink', mode: 0o777, sizeBytes: 0, owner: 'p', target },
});
const facts = (version: string, files: readonly FactsFile[]): HotFacts => {
  const owners = [...new Set(['p', ...files.map(({ owner }) => owner)])];
  return {
    version: '1',
    files: [...files],
    packages: owners.map((name) => ({ name, version, source: name, sourceVersion: version })),
  };
};
const plan = (before: readonly FactsFile[], after: readonly FactsFile[], wanted: readonly string[] = []) =>
  planHotLayer(facts('1', before), facts('2', after), wanted);
const refusalOf = (work: () => unknown): PlinthError => {
  try {
    work();
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason;
  }
  return assert.fail('it was planned');
};

suite('what of a newer release can be laid over a running one', () => {
  test('a library with other bytes', () => {
    const planned = plan(
      [file(`${LIB}/a.so.1`, '1'), file(`${LIB}/b.so`, '5')],
      [file(`${LIB}/a.so.1`, '2'), file(`${LIB}/b.so`, '5')],
    );
    assert.deepEqual(
      planned.replaced.map(({ path }) => path),
      [`${LIB}/a.so.1`],
    );
    assert.deepEqual(
      planned.entries.map(({ path }) => path),
      [`${LIB}/a.so.1`],
    );
    assert.deepEqual(planned.fixes, [{ package: 'p', from: '1', to: '2' }]);
  });

  test('a library of a new name: the link leads to it, and who maps the old one runs old code', () => {
    const planned = plan(
      [file(`${LIB}/a.so.1.5.6`, '1'), link(`${LIB}/a.so.1`, 'a.so.1.5.6')],
      [file(`${LIB}/a.so.1.5.7`, '2'), link(`${LIB}/a.so.1`, 'a.so.1.5.7')],
    );
    assert.deepEqual(planned.replaced, [{ path: `${LIB}/a.so.1.5.6`, before: '1'.padEnd(64, '0') }]);
    assert.deepEqual(planned.added, [`${LIB}/a.so.1.5.7`]);
    assert.deepEqual(
      planned.entries.map(({ path }) => path),
      [`${LIB}/a.so.1`, `${LIB}/a.so.1.5.7`],
    );
  });

  const stays: readonly (readonly [path: string, why: RegExp])[] = [
    ['/etc/ssl/openssl.cnf', /outside of \/usr/],
    ['/usr/lib/modules/6.12/kernel/x.ko.xz', /modules/],
    ['/usr/lib/systemd/systemd', /PID 1/],
    ['/usr/lib/systemd/systemd-executor', /PID 1/],
    ['/usr/lib/plinth/plinthd', /plinthd/],
    ['/usr/lib/systemd/system/x.service', /read at boot/],
    ['/usr/lib/os-release', /what the image is/],
    ['/usr/share/dbus-1/system.conf', /message bus/],
  ];
  for (const [path, why] of stays)
    test(`not ${path}, and its package is left out as a whole`, () => {
      const error = refusalOf(() =>
        plan([file(path, '1'), file(`${LIB}/a.so`, '1')], [file(path, '2'), file(`${LIB}/a.so`, '2')], ['p']),
      );
      assert.equal(error.code, 'hot-layer/cannot-be-hot');
      assert.match(error.diagnostics[0]?.message ?? '', why);
    });

  test('not a program that is gone, is set-user-id now, or became something else', () => {
    const program = file('/usr/bin/x', '1', { mode: 0o755 });
    for (const after of [[], [{ ...program, mode: 0o4755 }], [link('/usr/bin/x', 'y')]])
      assert.equal(refusalOf(() => plan([program], after)).code, 'hot-layer/nothing-hot');
  });

  test('a package that does not differ cannot be asked for', () => {
    const same = facts('1', [file(`${LIB}/a.so`, '1')]);
    assert.equal(refusalOf(() => planHotLayer(same, same, ['p'])).code, 'hot-layer/cannot-be-hot');
    assert.equal(refusalOf(() => planHotLayer(same, same)).code, 'hot-layer/nothing-hot');
  });
});

test('laid over the base, a layer gives the newer files of each package it fixes, and no other file differs', () => {
  const names = [
    `${LIB}/a.so.1`,
    `${LIB}/b.so.2`,
    '/usr/bin/x',
    '/usr/share/d',
    '/etc/e',
    '/usr/lib/systemd/systemd',
  ];
  const one = fc.record({
    path: fc.constantFrom(...names),
    owner: fc.constantFrom('p', 'q'),
    content: fc.constantFrom('1', '2', '3'),
  });
  const tree = fc
    .uniqueArray(one, { selector: ({ path }) => path })
    .map((files) => files.map(({ path, owner, content }) => file(path, content, { owner })));
  let planned = 0;
  fc.assert(
    fc.property(tree, tree, (before, after) => {
      // A file does not change its package.
      const owners = new Map(before.map(({ path, owner }) => [path, owner]));
      const next = after.map((each) => ({ ...each, owner: owners.get(each.path) ?? each.owner }));
      let made: ReturnType<typeof planHotLayer>;
      try {
        made = plan(before, next);
      } catch {
        return;
      }
      planned++;
      const merged = new Map([...before, ...made.entries].map((each) => [each.path, each.sha256]));
      const fixed = new Set(made.fixes.map((fix) => fix.package));
      for (const each of next) if (fixed.has(each.owner)) assert.equal(merged.get(each.path), each.sha256);
      for (const each of before) if (!fixed.has(each.owner)) assert.equal(merged.get(each.path), each.sha256);
      for (const { path } of made.entries) assert.match(path, /^\/usr\/(?!lib\/systemd\/systemd$)/);
    }),
    { numRuns: 500 },
  );
  assert.ok(planned > 50, `${planned} plans`);
});
