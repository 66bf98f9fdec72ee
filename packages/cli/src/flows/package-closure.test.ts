import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageClosure } from './package-closure.ts';

test('plinthd is made anew when any package changes that lies in it', async () => {
  const packages = await packageClosure('agent');
  assert.equal(packages[0], 'agent');
  assert.deepEqual(packages.toSorted(), ['agent', 'api', 'attest', 'base', 'config', 'formats', 'updates']);
});

test('a package without others is alone', async () => {
  assert.deepEqual(await packageClosure('base'), ['base']);
});
