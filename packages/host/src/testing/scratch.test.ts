import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scratchFolder } from './scratch.ts';

const ofTheFile = await scratchFolder('file');
// Hooks run in the order they were added: the folder is gone when this one runs.
after(() => assert.equal(existsSync(ofTheFile), false));
let ofTheTest = '';

test('scratchFolder gives a folder that can be written', async () => {
  ofTheTest = await scratchFolder('test');
  await writeFile(join(ofTheTest, 'file'), 'content');
});

test('scratchFolder leaves nothing of an earlier test, and keeps what belongs to the file', () => {
  assert.equal(existsSync(ofTheTest), false);
  assert.equal(existsSync(ofTheFile), true);
});
