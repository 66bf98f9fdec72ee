import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { attack } from './attack-report.ts';

test('attempts of several tests become one table; one that came out otherwise is in it and fails its test', async () => {
  const reportFolder = await mkdtemp(join(tmpdir(), 'plinth-attacks-'));
  try {
    const lab = { reportFolder };
    await attack(lab, 'Read a key', { outcome: 'refused', by: 'the kernel' }, () => 'EACCES | never\nmore');
    await attack(lab, 'Change a bit', { outcome: 'detected', by: 'plinthd' }, async () => 'x'.repeat(500));
    const failed = attack(lab, 'Write to /usr', { outcome: 'refused', by: 'the kernel' }, () => {
      assert.equal('written', 'refused');
      return 'refused';
    });
    await assert.rejects(failed, assert.AssertionError);
    const table = await readFile(join(reportFolder, 'attack-report.md'), 'utf8');
    assert.match(table, /3 attempts: 1 refused, 1 detected, 0 succeeded, 1 unproven\./);
    assert.match(table, /^\| Read a key \| refused \| the kernel \| `EACCES \\\| never` \|$/m);
    assert.match(table, /^\| Change a bit \| detected \| plinthd \| `x{160}…` \|$/m);
    assert.match(table, /^\| Write to \/usr \| unproven \|/m);
  } finally {
    await rm(reportFolder, { recursive: true });
  }
});
