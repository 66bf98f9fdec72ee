import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alice, assertWhole, current, fresh, started, textOf, within } from './transaction.testing.ts';

test('the way back is taken although nothing can be stored, and not only said', async () => {
  const { world, plinthd } = await fresh();
  const before = world.snapshot();
  await plinthd.operations.apply(textOf(2), alice, within);
  await plinthd.transaction.step();
  assert.notEqual(world.snapshot(), before);
  world.diskIsFull = true;
  world.upMs += 60_000;
  await plinthd.transaction.step();
  await plinthd.transaction.step();
  assert.equal(world.snapshot(), before);
  assert.equal(world.loaded, before);
  assert.match(world.said.join('\n'), /back on revision 1/);
  assert.match(world.said.join('\n'), /cannot be stored/);
  // After a reboot the disk still speaks of the trial, which then comes to the same end.
  world.diskIsFull = false;
  world.reboot();
  const again = await started(world);
  await again.transaction.step();
  assert.equal(again.transaction.state().current, 1);
  assertWhole(world, again);
});

test('what is done is not done again and again because that cannot be stored', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, within);
  world.diskIsFull = true;
  const before = world.programs.length;
  for (let tick = 0; tick < 5; tick++) await plinthd.transaction.step();
  assert.equal(world.programs.slice(before).filter((line) => line === 'networkctl reload').length, 1);
  assert.match(world.said.join('\n'), /cannot be stored/);
  world.diskIsFull = false;
  await plinthd.operations.confirm(2, alice);
  world.reboot();
  assert.equal(current(world, await started(world)), textOf(2).toString());
});

test('units that fail are asked again after longer and longer pauses', async () => {
  const { world, plinthd } = await fresh();
  world.reloadFails = true;
  await plinthd.operations.apply(textOf(2), alice, within);
  for (let tick = 0; tick < 4; tick++) await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 1);
  const before = world.programs.length;
  const untilMs = performance.now() + 100;
  while (performance.now() < untilMs) await plinthd.transaction.step();
  const asked = world.programs.length - before;
  assert.ok(asked >= 1 && asked < 12, String(asked));
});
