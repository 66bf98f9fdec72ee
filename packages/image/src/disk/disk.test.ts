import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadOsSpec } from '../spec/os-spec.ts';
import { planPartitions } from './make-disk.ts';
import { readSlotSizes } from './slot-sizes.ts';

const OS_DIR = join(import.meta.dirname, '../../../../os');

test('planPartitions adds only to definitions that exist, and names slot A by its root hash', async () => {
  const { os } = await loadOsSpec(OS_DIR);
  const plan = planPartitions(os, '00112233445566778899aabbccddeeffff00ee11dd22cc33bb44aa5599668877');
  const definitions = await readdir(join(OS_DIR, 'repart.d'));
  for (const name of Object.keys(plan)) assert.ok(definitions.includes(name), name);
  assert.ok(plan['20-root-a.conf']?.includes('UUID=00112233-4455-6677-8899-aabbccddeeff'));
  assert.ok(plan['21-root-a-verity.conf']?.includes('UUID=ff00ee11-dd22-cc33-bb44-aa5599668877'));
  assert.deepEqual(plan['30-root-b.conf'], ['Label=_empty']);
});

test('readSlotSizes reads both slots alike: an update must fit either', async () => {
  const sizes = await readSlotSizes(join(OS_DIR, 'repart.d'));
  assert.ok(sizes.rootSizeBytes >= 224 * 2 ** 20);
  assert.ok(sizes.veritySizeBytes >= sizes.rootSizeBytes / 128);
});

test('the ESP holds two boot loaders, two UKIs, a staged one and what staging leaves free, at the size policy allows', async () => {
  const number = async (file: string, pattern: RegExp) => {
    const text = await readFile(join(OS_DIR, file), 'utf8');
    return Number(pattern.exec(text)?.[1]);
  };
  const espMiB = await number('repart.d/10-esp.conf', /^SizeMinBytes=(\d+)M$/m);
  const ukiMiB = await number('policy.yaml', /^ {2}uki: (\d+)$/m);
  assert.ok(espMiB >= 3 * ukiMiB + 4, `${espMiB} MiB for three UKIs of ${ukiMiB} MiB`);
});
