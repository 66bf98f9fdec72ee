import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { listSubjects } from './list-subjects.ts';

test('a folder of releases stands for each of them, in order, also for one that comes in later', async () => {
  const folder = await scratchFolder('subjects');
  const releases = join(folder, 'releases');
  for (const name of ['lost+found', '.incoming', '0.2.0', '0.1.0'])
    await mkdir(join(releases, name), { recursive: true });
  const at = (...names: string[]) => names.map((name) => join(releases, name));
  assert.deepEqual(await listSubjects([releases]), at('0.1.0', '0.2.0'));
  await writeFile(join(releases, '0.3.0.lock.json'), '{}');
  assert.deepEqual(await listSubjects([releases]), at('0.1.0', '0.2.0', '0.3.0.lock.json'));
});

test('what is a subject stands for itself, also when it is not there; an empty folder is no quiet one', async () => {
  const folder = await scratchFolder('subjects');
  const [release, root, empty, absent] = ['release', 'root', 'empty', 'absent'].map((name) =>
    join(folder, name),
  );
  assert.ok(release && root && empty && absent);
  await mkdir(release);
  await writeFile(join(release, 'plinth_0.1.0_x86-64.manifest.json'), '{}');
  await mkdir(join(root, 'var/lib/dpkg'), { recursive: true });
  await mkdir(join(empty, '.incoming'), { recursive: true });
  assert.deepEqual(await listSubjects([release, root, absent]), [release, root, absent]);
  assert.equal(await codeOf(listSubjects([empty])), 'advisory/subject-unknown');
});
