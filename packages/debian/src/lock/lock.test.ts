import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { type PackageSet, packageSetDigest } from '../resolve/package-set.ts';
import { readPackageSet } from '../resolve/read-package-set.ts';
import { resolveClosure } from '../resolve/resolve-closure.ts';
import {
  type Fields,
  indexOf,
  makeArchiveKey,
  packageParagraph,
  serveFiles,
  suiteFiles,
} from '../testing/fake-archive.ts';
import { diffLocks } from './diff-locks.ts';
import { formatLock } from './format-lock.ts';
import type { Lock } from './lock.ts';
import { makeLock } from './make-lock.ts';
import { parseLock, readLock } from './read-lock.ts';
import { requireFreshLock, updateLock } from './update-lock.ts';

const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const SET: PackageSet = {
  suites: ['trixie'],
  packages: [{ name: 'tool', reason: 'the tool' }],
  dropped: [],
};

/** A lock of `tool` and its library at this version. */
function lockOf(libraryVersion: string): Lock {
  const index = indexOf(
    [
      packageParagraph('tool', '1', {
        Depends: 'libtool',
        'Static-Built-Using': 'rustc (= 1.85),\n musl (= 1.2)',
      }),
      packageParagraph('libtool', libraryVersion, {
        Source: 'tool-src (7)',
        'Built-Using': 'gcc-14 (= 14.2)',
      }),
    ],
    { date: new Date('2026-09-12T07:55:41Z') },
  );
  return makeLock(SET, [index], resolveClosure(SET, [index]));
}

test('makeLock writes down source packages, what is built in, and the date of the index', () => {
  const lock = lockOf('2');
  assert.equal(lock.created, '2026-09-12T07:55:41.000Z');
  const [library, tool] = lock.packages;
  assert.deepEqual(
    [library?.source, library?.sourceVersion, library?.builtUsing, library?.why],
    ['tool-src', '7', ['gcc-14 (= 14.2)'], 'needed by tool'],
  );
  assert.deepEqual([tool?.staticBuiltUsing, tool?.why], [['musl (= 1.2)', 'rustc (= 1.85)'], 'the tool']);
});

test('formatLock and parseLock are inverse for every text', () => {
  const base = lockOf('2');
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.string({ minLength: 1 })), (why, builtUsing) => {
      const lock: Lock = { ...base, packages: base.packages.map((item) => ({ ...item, why, builtUsing })) };
      assert.deepEqual(parseLock(formatLock(lock), 'x.lock.json'), lock);
    }),
  );
});

test('formatLock shows an upgrade as few changed lines', () => {
  const [before, after] = [formatLock(lockOf('2')).split('\n'), formatLock(lockOf('3')).split('\n')];
  assert.equal(before.length, after.length);
  const changed = after
    .filter((line, index) => line !== before[index])
    .map((line) => line.trim().slice(0, 12));
  // The index digest, then name with version, path, and digest of the package.
  assert.deepEqual(changed, ['"packagesSha', '{ "name": "l', '"archive": "', '"sizeBytes":']);
});

test('parseLock names file and line of each fault', () => {
  const text = formatLock(lockOf('2'));
  const faults = (bad: string) => {
    try {
      parseLock(bad, 'os/x.lock.json');
    } catch (reason) {
      assert.ok(reason instanceof PlinthError && reason.code === 'debian/lock-invalid');
      return reason.diagnostics.map(({ span, path }) => `${span?.file}:${span?.line} ${path}`);
    }
    return [];
  };
  const line = text.split('\n').findIndex((each) => each.includes('"name": "tool"')) + 1;
  assert.deepEqual(faults(text.replace('"name": "tool"', '"name": "../tool"')), [
    `os/x.lock.json:${line} $.packages[1].name`,
  ]);
  assert.deepEqual(faults(text.replace('"path": "pool/main/tool', '"path": "pool/../../tool')), [
    `os/x.lock.json:${line + 2} $.packages[1].path`,
  ]);
  assert.deepEqual(faults(text.replace('"format": 1', '"format": 2')), ['os/x.lock.json:2 $.format']);
  assert.deepEqual(faults(`${text.slice(0, 200)}<<<<<<< HEAD\n`).length, 1);
  assert.deepEqual(faults(text.replaceAll('"name": "tool"', '"name": "libtool"')).length, 1);
});

test('diffLocks tells what came, went and changed', () => {
  const [before, after] = [lockOf('2'), lockOf('3')];
  const gone: Lock = { ...before, packages: before.packages.slice(1) };
  const change = diffLocks(before, after);
  assert.deepEqual(
    change.changed.map(({ from, to }) => [from.name, from.version, to.version]),
    [['libtool', '2', '3']],
  );
  assert.deepEqual([change.added, change.removed], [[], []]);
  assert.deepEqual(
    diffLocks(gone, before).added.map(({ name }) => name),
    ['libtool'],
  );
  assert.deepEqual(
    diffLocks(before, gone).removed.map(({ name }) => name),
    ['libtool'],
  );
});

test('updateLock writes what the signed index has now and tells the difference', async (context) => {
  const key = await makeArchiveKey();
  const files = new Map<string, Buffer>();
  const base = await serveFiles(context, files);
  const dir = await scratchFolder('lock');
  const lockPath = join(dir, 'x.lock.json');
  const options = {
    mirrors: { debian: base, security: base },
    keyring: [key.publicKey],
    now: new Date('2026-09-20T00:00:00Z'),
    cacheRoot: join(dir, 'indexes'),
  };
  const publish = async (version: string, release: Fields = {}) => {
    const paragraph = packageParagraph('tool', version);
    for (const [path, content] of await suiteFiles(paragraph, key.privateKey, release)) {
      files.set(path, content);
    }
  };
  await assert.rejects(readLock(lockPath), withCode('debian/lock-missing'));
  await publish('1');
  const first = await updateLock(SET, lockPath, options);
  assert.deepEqual(
    first.diff.added.map(({ name }) => name),
    ['tool'],
  );
  await publish('1.1');
  const second = await updateLock(SET, lockPath, options);
  assert.deepEqual(
    second.diff.changed.map(({ from, to }) => `${from.version} ${to.version}`),
    ['1 1.1'],
  );
  assert.deepEqual(await readLock(lockPath), second.lock);

  await publish('1', { Date: 'Fri, 11 Sep 2026 00:00:00 UTC' });
  await assert.rejects(updateLock(SET, lockPath, options), withCode('debian/index-older'));
  assert.deepEqual(await readLock(lockPath), second.lock);
});

test('requireFreshLock refuses a lock of another list; the order of the list does not matter', () => {
  const lock = lockOf('2');
  requireFreshLock(lock, SET, 'x');
  const changed = { ...SET, dropped: [{ name: 'bash', reason: 'not needed' }] };
  assert.throws(() => requireFreshLock(lock, changed, 'x'), withCode('debian/lock-stale'));
  const two = { ...SET, packages: [...SET.packages, { name: 'other', reason: 'too' }] };
  const turned = { ...two, packages: two.packages.toReversed() };
  assert.equal(packageSetDigest(turned), packageSetDigest(two));
});

test('readPackageSet names the line of each fault and leaves other keys to others', async () => {
  const path = join(await scratchFolder('set'), 'os.yaml');
  const lines = ['kernel: cloud', 'suites: [trixie]', 'packages:', '  - { name: tool, reason: "why not" }'];
  await writeFile(path, lines.join('\n'));
  assert.deepEqual(await readPackageSet(path), {
    suites: ['trixie'],
    packages: [{ name: 'tool', reason: 'why not' }],
    dropped: [],
  });
  const more = [
    '  - { name: other }',
    '  - { name: new, reason: x, suite: sid }',
    'dropped:',
    '  - { name: tool, reason: x }',
  ];
  await writeFile(path, [...lines, ...more].join('\n'));
  await assert.rejects(readPackageSet(path), (error) => {
    assert.ok(error instanceof PlinthError && error.code === 'debian/spec-invalid');
    assert.deepEqual(
      error.diagnostics.map(({ path: where, span }) => [where, span?.line]),
      [['$.packages[1].reason', 5]],
    );
    return true;
  });
  await writeFile(path, [...lines, ...more.slice(1)].join('\n'));
  await assert.rejects(readPackageSet(path), (error) => {
    assert.ok(error instanceof PlinthError);
    assert.deepEqual(
      error.diagnostics.map(({ path: where, span }) => [where, span?.line]),
      [
        ['$.packages[1].suite', 5],
        ['$.dropped[0].name', 7],
      ],
    );
    return true;
  });
});
