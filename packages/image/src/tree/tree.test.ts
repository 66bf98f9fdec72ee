import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { planTree } from './plan-tree.ts';
import type { PackageEntry } from './scan-package.ts';

const file = (path: string, extra: Partial<PackageEntry> = {}): PackageEntry => ({
  path,
  kind: 'file',
  mode: 0o644,
  sizeBytes: 1,
  script: false,
  source: `/unpacked${path}`,
  ...extra,
});
const folder = (path: string) => file(path, { kind: 'directory', mode: 0o755 });
const rules = { removed: [{ path: '/usr/share/doc/', reason: 'docs' }], scriptPaths: ['/usr/bin/'] };

test('planTree merges folders, applies the rules and names what it left out', () => {
  const plan = planTree(
    new Map([
      [
        'b',
        [folder('/usr'), folder('/usr/bin'), file('/usr/bin/tool'), file('/usr/bin/x', { script: true })],
      ],
      ['a', [folder('/usr'), folder('/usr/share'), folder('/usr/share/doc'), file('/usr/share/doc/README')]],
    ]),
    rules,
  );
  assert.deepEqual(
    plan.entries.map((entry) => entry.path),
    ['/usr', '/usr/bin', '/usr/bin/tool'],
  );
  assert.deepEqual(
    plan.removed.map((entry) => [entry.path, entry.owner]),
    [
      ['/usr/bin/x', 'b'],
      ['/usr/share/doc/README', 'a'],
    ],
  );
  assert.deepEqual(plan.unusedRules, []);
});

test('a rule may leave one name of a path open, and covers nothing else', () => {
  const paths = ['/m/1/net/x/a.ko', '/m/2/net/x', '/m/net/x/a.ko', '/m/1/net/xy/a.ko', '/m/1/2/net/x/a.ko'];
  const { removed } = planTree(new Map([['a', paths.map((path) => file(path))]]), {
    ...{ removed: [{ path: '/m/*/net/x/', reason: 'none' }], scriptPaths: [] },
  });
  assert.deepEqual(
    removed.map(({ path }) => path),
    paths.slice(0, 2),
  );
});

test('planTree refuses two owners of one file and tells about rules that match nothing', () => {
  assert.throws(
    () =>
      planTree(
        new Map([
          ['a', [file('/etc/x')]],
          ['b', [file('/etc/x')]],
        ]),
        rules,
      ),
    (error: unknown) =>
      error instanceof PlinthError &&
      error.code === 'image/file-conflict' &&
      /a ships.*b a/.test(error.message),
  );
  assert.deepEqual(planTree(new Map(), rules).unusedRules, ['/usr/share/doc/']);
});

test('planTree gives the same plan for any order of packages', () => {
  const a = [folder('/usr'), file('/usr/a')] as const;
  const b = [folder('/usr'), file('/usr/b')] as const;
  assert.deepEqual(
    planTree(
      new Map([
        ['a', a],
        ['b', b],
      ]),
      rules,
    ),
    planTree(
      new Map([
        ['b', b],
        ['a', a],
      ]),
      rules,
    ),
  );
});
