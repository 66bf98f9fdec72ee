import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootEntryName, planActivate, planBless, planRecover, planRollback } from '@plinth/updates';
import { openFolder } from '../../sys/state-store.ts';
import { type SampleRelease, sampleBlocks, sampleRelease } from '../testing/sample-release.ts';
import { assertSlot, stageWorld, toEnd } from '../testing/stage-world.ts';
import type { Stager } from '../types.ts';

const UKI_BYTES = 96 * 1024;
/** Room for two UKIs, one that is staged, and what staging leaves free: one more that stays would be too much. */
const ESP_BYTES = 3 * UKI_BYTES + 1024 * 1024 + 16 * 1024;
const ROOT_NUMBERS = { a: 2, b: 5 } as const;

/** Ten blocks of each version are its own, and its number is in one. */
const releases: SampleRelease[] = [];
for (let minor = 0; minor <= 10; minor++) {
  const names = Array.from({ length: 150 }, (_, block) => (block % 15 === 0 ? `${minor} ${block}` : block));
  releases.push(await sampleRelease(`1.${minor}`, sampleBlocks(names), { ukiBytes: UKI_BYTES }));
}

test('ten versions up and ten back leave nothing behind: not on the ESP, not in the slots, not in /var', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-ten-'));
  const [first, ...later] = releases;
  assert.ok(first);
  const there = await stageWorld({ booted: first, offered: releases, store: await openFolder(folder) });
  context.after(async () => {
    await there.close();
    await rm(folder, { recursive: true });
  });
  const { esp, disk } = there.medium;
  const diskBytes = disk.length;
  let booted: { slot: 'a' | 'b'; version: string } = { slot: 'a', version: first.version };
  const start = () => {
    const { slot, version } = booted;
    return there.start({ booted: { rootNumber: ROOT_NUMBERS[slot], version }, espBytes: ESP_BYTES }).stager;
  };
  const stateBytes: number[] = [];

  /** Stages a version and activates it; the boot loader counts, and takes it. */
  const tryNew = async (stager: Stager, version: string) => {
    await toEnd(stager.stageUpdate(there.request({ version })));
    await stager.changeEntries((slots) => planActivate(slots, version, 3));
    const tried = bootEntryName(version, { triesLeft: 3, triesDone: 0 });
    const uki = esp.get(tried);
    assert.ok(uki, `${tried} among ${[...esp.keys()].join(' ')}`);
    esp.delete(tried);
    esp.set(bootEntryName(version, { triesLeft: 2, triesDone: 1 }), uki);
  };

  for (const target of [...later, ...releases.slice(0, -1).reverse()]) {
    const { version } = target;
    const stager = start();
    if (esp.has(bootEntryName(version))) await stager.changeEntries(planRollback);
    else await tryNew(stager, version);
    booted = { slot: booted.slot === 'a' ? 'b' : 'a', version };
    const next = start();
    await next.changeEntries(planRecover);
    await next.changeEntries(planBless);

    assertSlot(there.medium, booted.slot, target);
    assert.equal(disk.length, diskBytes);
    const names = [...esp.keys()];
    assert.ok(names.includes(bootEntryName(version)) && names.length <= 2, names.join(' '));
    assert.ok([...esp.values()].reduce((sum, bytes) => sum + bytes.length, 0) <= 2 * UKI_BYTES);
    stateBytes.push(await sizeOf(folder));
  }
  assert.equal(booted.version, first.version);
  const [after, last] = [stateBytes[1] ?? 0, stateBytes.at(-1) ?? 0];
  assert.ok(last <= after * 1.05, `the state grew from ${after} to ${last} bytes`);
});

/** Bytes of all files below a folder. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name));
      return found.isFile() ? found.size : 0;
    }),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
