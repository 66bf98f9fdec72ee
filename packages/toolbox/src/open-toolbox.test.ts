import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { openPackageStore } from '@plinth/debian';
import { run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from './open-toolbox.ts';
import { writeSmallToolbox } from './testing/small-toolbox.ts';

const NOBODY = 65534;
const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const scratch = () => scratchFolder('toolbox');

async function small() {
  const dir = await scratch();
  const { lockDir, storeRoot } = await writeSmallToolbox(dir);
  return { dir, lockDir, store: openPackageStore(storeRoot), storeRoot, cacheRoot: join(dir, 'cache') };
}

test('openToolbox makes a toolbox once, however many ask for it at the same time', async () => {
  const { lockDir, store, cacheRoot } = await small();
  const titles: string[] = [];
  const progress: Progress = {
    ...silentProgress,
    step: (title, work) => {
      titles.push(title);
      return work(progress);
    },
  };
  const open = () => openToolbox({ lockDir, store, cacheRoot, progress });
  const [first, second] = await Promise.all([open(), open()]);
  assert.equal(first.root, second.root);
  assert.equal(titles.filter((title) => title === 'Finish the toolbox').length, 1);
  assert.deepEqual(await readdir(cacheRoot), [`toolbox-${first.key}`]);
  assert.equal((await first.run('cat', ['/etc/passwd'])).stdout.toString().split(':')[0], 'root');
});

test('openToolbox leaves nothing behind when it is interrupted', async () => {
  const { lockDir, store, cacheRoot } = await small();
  const abort = new AbortController();
  const progress: Progress = {
    ...silentProgress,
    step: (_title, work) => work(progress),
    note: (text) => {
      if (text.startsWith('3/')) abort.abort();
    },
  };
  const opening = openToolbox({ lockDir, store, cacheRoot, progress, signal: abort.signal });
  await assert.rejects(opening, withCode('cli/interrupted'));
  assert.deepEqual(await readdir(cacheRoot), []);
});

test('openToolbox refuses a lock that was made from another list', async () => {
  const { lockDir } = await small();
  const listPath = join(lockDir, 'toolbox.yaml');
  await writeFile(listPath, `${await readFile(listPath, 'utf8')}  - { name: vim, reason: new }\n`);
  await assert.rejects(openToolbox({ lockDir }), withCode('debian/lock-stale'));
  await assert.rejects(openToolbox({ lockDir, name: 'other' }), withCode('debian/lock-missing'));
});

const asRoot = process.getuid?.() === 0;
test('openToolbox works for a user without any rights', {
  skip: asRoot ? false : 'not root: every other test here already runs without rights',
}, async (context) => {
  const { dir, lockDir, storeRoot, cacheRoot } = await small();
  await mkdir(cacheRoot);
  for (const path of [dir, storeRoot, cacheRoot]) {
    await chmod(path, 0o755);
    await chown(path, NOBODY, NOBODY);
  }
  const child = fileURLToPath(new URL('./testing/rootless-child.ts', import.meta.url));
  const setpriv = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  const isReadable = await run('setpriv', [...setpriv, 'test', '-r', child], { okCodes: [0, 1] });
  if (isReadable.exitCode !== 0) return context.skip('the user nobody cannot read this checkout');
  const { stdout } = await run(
    'setpriv',
    [...setpriv, process.execPath, child, lockDir, storeRoot, cacheRoot],
    {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    },
  );
  assert.deepEqual(JSON.parse(stdout.toString()), { isolation: 'user-namespace', lines: ['0', '1'] });
});
