import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { loadOsSpec } from '../spec/os-spec.ts';
import { configureTree } from './configure-tree.ts';

const REPOSITORY_OS = join(import.meta.dirname, '../../../../os');

/** A root with as much of Debian's packages as configureTree takes from. */
async function packagesRoot(): Promise<string> {
  const root = await scratchFolder('root');
  await mkdir(join(root, 'usr/share/base-passwd'), { recursive: true });
  await mkdir(join(root, 'usr/share/ca-certificates'));
  for (const name of ['passwd', 'group'])
    await writeFile(join(root, `usr/share/base-passwd/${name}.master`), 'root::0:0:root:/root:/bin/sh\n');
  return root;
}

test('an image takes what is below os/, with the VEX about it where there is one', async () => {
  const { os } = await loadOsSpec(REPOSITORY_OS);
  const [osDir, root] = [await scratchFolder('os'), await packagesRoot()];
  await mkdir(join(osDir, 'vex'));
  await mkdir(join(osDir, 'etc'));
  await writeFile(join(osDir, 'vex/plinth_0.1.1_x86-64.openvex.json'), '{}');
  await writeFile(join(osDir, 'etc/hosts'), '127.0.0.1 localhost\n');
  await configureTree(root, osDir, os, '');
  assert.equal(await readFile(join(root, 'usr/share/vex/plinth_0.1.1_x86-64.openvex.json'), 'utf8'), '{}');
  assert.equal(await readFile(join(root, 'etc/hosts'), 'utf8'), '127.0.0.1 localhost\n');
  const plain = await packagesRoot();
  await configureTree(plain, join(osDir, 'etc'), os, '');
  assert.equal(await exists(join(plain, 'usr/share/vex')), false);
});
