import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodeSys } from '../sys/node-sys.ts';
import { errorCode, listDir, readText, type Sys } from '../sys/sys.ts';
import { fakeSys } from './fake-sys.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'plinth-sys-'));
  await mkdir(join(root, 'b'));
  await writeFile(join(root, 'a'), 'text\n');
  await writeFile(join(root, 'b', 'c'), '');
  await symlink('a', join(root, 'link'));
});
after(() => rm(root, { recursive: true, force: true }));

async function outcome(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (reason) {
    return errorCode(reason);
  }
}

async function lines(some: AsyncIterable<readonly string[]>): Promise<string[]> {
  const found: string[] = [];
  for await (const each of some) found.push(...each);
  return found;
}

/** The fake must answer as the machine does, or tests on it prove nothing. */
test('fakeSys answers as nodeSys does', async () => {
  const fake = fakeSys({
    links: { [`${root}/link`]: 'a' },
    files: { [`${root}/a`]: 'text\n', [`${root}/b/c`]: '' },
    programs: { '/bin/echo -n x': 'x', '/bin/false': { exitCode: 1, stdout: '', stderr: '' } },
  });
  const answers = async (sys: Sys) => [
    (await sys.readFile(`${root}/a`)).toString(),
    await sys.readDir(root),
    await readText(sys, `${root}/a`),
    await readText(sys, `${root}/none`),
    await listDir(sys, `${root}/none`),
    await outcome(() => sys.readFile(`${root}/none`)),
    await outcome(() => sys.readDir(`${root}/none`)),
    await outcome(() => sys.run(`${root}/none`, [])),
    await sys.run('/bin/echo', ['-n', 'x']),
    await sys.run('/bin/false', []),
    (await sys.readFile(`${root}/a`, 2)).toString(),
    sys.readAtOnce(`${root}/a`),
    await outcome(async () => sys.readAtOnce(`${root}/none`)),
    await sys.readLink(`${root}/link`),
    await outcome(() => sys.readLink(`${root}/none`)),
    await lines(sys.readLines(`${root}/a`)),
    await outcome(() => lines(sys.readLines(`${root}/none`))),
  ];
  assert.deepEqual(await answers(fake), await answers(nodeSys()));
});

test('nodeSys reads kernel files, which have no size', async () => {
  assert.match((await nodeSys().readFile('/proc/self/mountinfo')).toString(), / - /);
});

test('nodeSys passes no variable of its own environment to a program', async () => {
  process.env['PLINTH_TEST_SECRET'] = 'x';
  const { stdout } = await nodeSys().run('/usr/bin/env', []);
  assert.equal(stdout, 'LC_ALL=C\n');
});
