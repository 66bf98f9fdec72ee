import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { requireUnitLinks } from './unit-links.ts';

const OS = join(import.meta.dirname, '../../../../os');

test('a unit is wanted by a link; a file in its place is named', async () => {
  const osDir = await mkdtemp(join(tmpdir(), 'plinth-links-'));
  try {
    const wants = join(osDir, 'initrd/units/initrd-fs.target.wants');
    await mkdir(wants, { recursive: true });
    await writeFile(join(osDir, 'initrd/units/a.service'), '[Service]\n');
    await symlink('../a.service', join(wants, 'a.service'));
    await requireUnitLinks(osDir);
    await writeFile(join(wants, 'b.service'), '../b.service');
    await assert.rejects(
      requireUnitLinks(osDir),
      (error) =>
        error instanceof PlinthError &&
        error.code === 'image/spec-invalid' &&
        error.message.includes('initrd/units/initrd-fs.target.wants/b.service'),
    );
  } finally {
    await rm(osDir, { recursive: true });
  }
});

test('those of Plinth are links', () => requireUnitLinks(OS));
