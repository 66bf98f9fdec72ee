import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { slotNames } from '@plinth/updates';
import { parse } from 'yaml';
import { osSpecSchema } from './os-spec.ts';

const LABEL_CHARACTERS = 36;
const text = await readFile(join(import.meta.dirname, '../../../../os/plinth.yaml'), 'utf8');

test('a version is as long as the labels of a slot allow, and no longer', () => {
  const isTaken = (version: string) => osSpecSchema.safeParse({ ...parse(text), version }).success;
  const longest = '1.2.3~rc1-'.padEnd(22, '0');
  assert.ok(isTaken(longest));
  assert.ok(!isTaken(`${longest}0`));
  const { root, verity, signature } = slotNames({ version: longest, rootHash: '0'.repeat(64) });
  assert.equal(Math.max(...[root, verity, signature].map(({ label }) => label.length)), LABEL_CHARACTERS);
});
