import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { readLicences } from './read-licences.ts';

test('readLicences reads each package, follows a shared folder of documentation, and leaves out what says nothing', async () => {
  const root = await scratchFolder('licences');
  const doc = (name: string) => join(root, name, 'usr/share/doc');
  for (const name of ['base', 'shared', 'astray', 'bare']) await mkdir(doc(name), { recursive: true });
  await mkdir(join(doc('base'), 'base'));
  const text =
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Expat\n';
  await writeFile(join(doc('base'), 'base', 'copyright'), text);
  await symlink('base', join(doc('shared'), 'shared'));
  await symlink('../../../../etc', join(doc('astray'), 'astray'));
  const found = await readLicences(['astray', 'bare', 'base', 'shared'], (name) => join(root, name));
  assert.deepEqual(
    [...found],
    [
      ['base', 'MIT'],
      ['shared', 'MIT'],
    ],
  );
});
