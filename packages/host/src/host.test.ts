import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { mapParallel, openStageCache, run, stageKey, withLock, writeFileAtomic } from './index.ts';
import { scratchFolder } from './testing/scratch.ts';

const scratch = () => scratchFolder('host');
const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;

test('run reports a missing program, a failing one and a slow one by code', async () => {
  await assert.rejects(run('/nonexistent/program', []), withCode('host/command-missing'));
  await assert.rejects(run('ls', ['/nonexistent/path']), withCode('host/command-failed'));
  await assert.rejects(run('sleep', ['30'], { timeoutMs: 50 }), withCode('host/command-timeout'));
});

test('writeFileAtomic leaves nothing but the file', async () => {
  const dir = await scratch();
  await writeFileAtomic(join(dir, 'a/b.txt'), 'hello');
  assert.equal(await readFile(join(dir, 'a/b.txt'), 'utf8'), 'hello');
  assert.deepEqual(await readdir(join(dir, 'a')), ['b.txt']);
});

test('withLock refuses a second holder and takes over from a dead one', async () => {
  const path = join(await scratch(), 'lock');
  await withLock(path, 'build', async () => {
    await assert.rejects(
      withLock(path, 'build', async () => {}),
      withCode('host/locked'),
    );
  });
  await writeFile(path, '999999999 12345\n');
  assert.equal(await withLock(path, 'build', async () => 'ran'), 'ran');
});

test('withLock waits for the holder when asked to, and lets each in alone', async () => {
  const path = join(await scratch(), 'lock');
  let inside = 0;
  let waited = 0;
  const enter = () =>
    withLock(
      path,
      'build',
      async () => {
        assert.equal(++inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
      },
      { onWait: () => waited++ },
    );
  await Promise.all([enter(), enter(), enter()]);
  assert.equal(waited, 2);
});

test('StageCache builds once and keeps nothing of a failed build', async () => {
  const cache = openStageCache(await scratch());
  let built = 0;
  const build = () =>
    cache.stage('demo', 'Make demo', { b: 1, a: 2 }, silentProgress, async (dir) => {
      built++;
      await writeFile(join(dir, 'x'), 'y');
    });
  assert.equal(await build(), await build());
  assert.equal(built, 1);
  const failing = cache.stage('bad', 'Make bad', {}, silentProgress, async () =>
    Promise.reject(new Error('boom')),
  );
  await assert.rejects(failing, /boom/);
  assert.deepEqual(
    (await readdir(cache.root)).filter((name) => name.startsWith('.') || name.startsWith('bad')),
    [],
  );
});

test('StageCache makes again what was changed since it was made, and says what', async () => {
  const cache = openStageCache(await scratch());
  const warnings: string[] = [];
  let [built, kept] = [0, 0];
  const progress: Progress = {
    ...silentProgress,
    step: (_title, work) => work(progress),
    cached: () => kept++,
    warn: (message) => warnings.push(message),
  };
  const make = () =>
    cache.stage('tree', 'Make tree', {}, progress, async (dir) => {
      built++;
      await mkdir(join(dir, 'dev'));
      await writeFile(join(dir, 'file'), 'text');
      await symlink('file', join(dir, 'link'));
    });
  const dir = await make();
  const changes: readonly (readonly [path: string, change: () => Promise<unknown>])[] = [
    ['dev/ptmx', () => symlink('pts/ptmx', join(dir, 'dev/ptmx'))],
    ['file', () => chmod(join(dir, 'file'), 0o666)],
    ['file', () => appendFile(join(dir, 'file'), 'more')],
    ['link', () => rm(join(dir, 'link'))],
    ['nothing tells', () => rm(`${dir}.seal`)],
  ];
  for (const [index, [named, change]] of changes.entries()) {
    await change();
    assert.equal(await make(), dir);
    assert.equal(built, index + 2, named);
    assert.match(warnings.at(-1) ?? '', new RegExp(`made again: ${named} `));
    assert.equal(await make(), dir);
    assert.equal(kept, index + 1);
  }
  assert.equal(warnings.length, changes.length);
  assert.deepEqual((await readdir(dir)).sort(), ['dev', 'file', 'link']);
});

test('stageKey ignores the order of keys', () => {
  assert.equal(stageKey('s', { a: 1, b: { c: 1, d: 2 } }), stageKey('s', { b: { d: 2, c: 1 }, a: 1 }));
});

test('mapParallel keeps order and bounds concurrency', async () => {
  let running = 0;
  let most = 0;
  const results = await mapParallel([1, 2, 3, 4, 5], 2, async (n) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
    return n * 2;
  });
  assert.deepEqual(results, [2, 4, 6, 8, 10]);
  assert.equal(most, 2);
});
