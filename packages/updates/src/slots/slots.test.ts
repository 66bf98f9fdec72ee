import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bootEntryName,
  parseBootEntryName,
  parseStagedEntryName,
  stagedEntryName,
} from './boot-entry-name.ts';
import { planActivate, planBless, planCancel, planRecover, planRollback } from './plan-activate.ts';
import { planStage } from './plan-stage.ts';
import type { BootEntry, SlotDisk, SlotName } from './slot-disk.ts';
import { emptySlotNames, readSlotNames, slotNames } from './slot-labels.ts';
import { viewSlots } from './versions.ts';

const HASHES: Readonly<Record<string, string>> = {
  '1': 'a'.repeat(64),
  '2': 'b'.repeat(64),
  '3': 'c'.repeat(64),
};

/** "1" is proven, "2+3-0" is on trial, "2!" is an empty file. */
function entry(text: string): BootEntry {
  const [name = '', broken] = text.split('!');
  const [version = '', counters] = name.split('+');
  const [left, done] = counters?.split('-').map(Number) ?? [];
  const file = counters === undefined ? bootEntryName(version) : `plinth_${version}_x86-64+${counters}.efi`;
  return {
    file,
    version,
    ...(left === undefined ? {} : { triesLeft: left, triesDone: done ?? 0 }),
    ...(broken === undefined ? {} : { broken: true as const }),
  };
}

/** A disk in short: what the slots hold, boot entries, the staged version. Slot a is booted. */
function disk(
  a: string,
  b: string,
  entries: readonly string[],
  staged?: string,
  booted: SlotName = 'a',
): SlotDisk {
  const slot = (name: SlotName, version: string) => ({ name, version, rootHash: HASHES[version] ?? '' });
  return {
    slots: [slot('a', a), slot('b', b)],
    entries: entries.map(entry),
    ...(staged === undefined ? {} : { staged: { version: staged } }),
    booted: { slot: booted, version: booted === 'a' ? a : b },
  };
}

const next = (version: string) => ({ version, rootHash: HASHES[version] ?? '' });
const does = (steps: readonly { readonly do: string }[]) => steps.map((step) => step.do).join(' ');

test('staging empties the other slot, fills it, and puts the UKI aside', () => {
  assert.deepEqual(planStage(disk('1', '', ['1']), next('2')), [
    { do: 'remove-staged' },
    { do: 'write-slot', slot: 'b', version: '2', rootHash: HASHES['2'] },
    { do: 'label-slot', slot: 'b', version: '2', rootHash: HASHES['2'] },
    { do: 'stage-entry', version: '2' },
  ]);
  // What boots the old version goes first, then its labels.
  const replaced = planStage(disk('2', '1', ['1', '2']), next('3'));
  assert.equal(does(replaced), 'remove-entry remove-staged empty-slot write-slot label-slot stage-entry');
  assert.deepEqual(replaced[0], { do: 'remove-entry', file: 'plinth_1_x86-64.efi' });
});

test('staging goes on where it was cut', () => {
  assert.equal(does(planStage(disk('1', '2', ['1']), next('2'))), 'remove-staged stage-entry');
  assert.deepEqual(planStage(disk('1', '2', ['1'], '2'), next('2')), []);
  assert.deepEqual(planStage(disk('1', '2', ['1', '2+3-0']), next('2')), []);
  // Its tries ran out: nothing of it is believed.
  const again = planStage(disk('1', '2', ['1', '2+0-3']), next('2'));
  assert.equal(does(again), 'remove-entry remove-staged empty-slot write-slot label-slot stage-entry');
  // Another build under the same version.
  const other = planStage(disk('1', '2', ['1'], '2'), { version: '2', rootHash: HASHES['3'] ?? '' });
  assert.equal(does(other), 'remove-staged empty-slot write-slot label-slot stage-entry');
});

test('refusals of staging', () => {
  const refused = (code: string, facts: SlotDisk, version = '3') =>
    assert.throws(() => planStage(facts, next(version)), { code });
  refused('update/slot-booted', disk('1', '', ['1']), '1');
  refused('update/already-there', disk('2', '1', ['1', '2']), '1');
  refused('update/on-trial', disk('2', '1', ['1', '2+2-1']));
  refused('update/on-trial', disk('2', '1', ['1', '2+0-3']));
  refused('update/only-proven', disk('2', '1', ['1']));
  refused('update/no-entry', disk('2', '', []));
  refused('update/disk-unreadable', { ...disk('2', '1', ['1', '2']), booted: { slot: 'a', version: '1' } });
  // A blessed name without content proves nothing.
  refused('update/only-proven', disk('2', '1', ['1', '2!']));
});

test('activating is one rename; going to an older version is asked of the boot loader for one boot', () => {
  assert.deepEqual(planActivate(disk('1', '2', ['1'], '2'), '2', 3), [
    { do: 'activate-entry', version: '2', tries: 3 },
  ]);
  assert.deepEqual(planActivate(disk('2', '1', ['2'], '1'), '1', 2), [
    { do: 'activate-entry', version: '1', tries: 2 },
    { do: 'boot-once', file: 'plinth_1_x86-64+2-0.efi' },
  ]);
  assert.deepEqual(planActivate(disk('1', '2', ['1', '2+3-0']), '2', 3), []);
  assert.deepEqual(planActivate(disk('2', '1', ['2', '1+3-0']), '1', 3), [
    { do: 'boot-once', file: 'plinth_1_x86-64+3-0.efi' },
  ]);
  const refused = (code: string, facts: SlotDisk, version = '2') =>
    assert.throws(() => planActivate(facts, version, 3), { code });
  refused('update/nothing-staged', disk('1', '2', ['1']));
  refused('update/nothing-staged', disk('1', '', ['1'], '2'));
  refused('update/nothing-staged', disk('1', '2', ['1', '2+0-3'], '2'));
  refused('update/other-staged', disk('1', '3', ['1'], '3'));
  refused('update/on-trial', disk('3', '2', ['3+1-2'], '2'));
  for (const tries of [0, 10, 1.5]) assert.throws(() => planActivate(disk('1', '2', ['1'], '2'), '2', tries));
});

test('blessing takes the counters away, once', () => {
  assert.deepEqual(planBless(disk('2', '1', ['1', '2+2-1'])), [
    { do: 'bless-entry', file: 'plinth_2_x86-64+2-1.efi' },
  ]);
  assert.deepEqual(planBless(disk('2', '1', ['1', '2'])), []);
  assert.deepEqual(planBless(disk('1', '2', ['2', '1+2-1'])), [
    { do: 'bless-entry', file: 'plinth_1_x86-64+2-1.efi' },
    { do: 'remove-entry', file: 'plinth_2_x86-64.efi' },
  ]);
  assert.throws(() => planBless(disk('2', '1', ['1'])), { code: 'update/no-entry' });
});

test('rolling back takes what runs out of the boot loader, if there is something to go back to', () => {
  assert.deepEqual(planRollback(disk('2', '1', ['1', '2'])), [
    { do: 'remove-entry', file: 'plinth_2_x86-64.efi' },
  ]);
  assert.deepEqual(planRollback(disk('2', '1', ['1', '2+1-2'])), [
    { do: 'remove-entry', file: 'plinth_2_x86-64+1-2.efi' },
  ]);
  for (const facts of [disk('2', '', ['2']), disk('2', '1', ['2']), disk('2', '1', ['2', '1+0-3'])]) {
    assert.throws(() => planRollback(facts), { code: 'update/no-rollback' });
  }
});

test('cancelling takes back what is staged or activated, and nothing that is proven', () => {
  assert.equal(does(planCancel(disk('1', '2', ['1'], '2'))), 'remove-staged');
  assert.deepEqual(planCancel(disk('1', '2', ['1', '2+3-0'])), [
    { do: 'remove-entry', file: 'plinth_2_x86-64+3-0.efi' },
  ]);
  assert.deepEqual(planCancel(disk('2', '1', ['1', '2'])), []);
});

test('recovering settles names, empty files, and what has no slot', () => {
  assert.deepEqual(planRecover(disk('2', '1', ['1', '2'])), []);
  assert.deepEqual(planRecover(disk('2', '1', ['1', '2+1-2', '2'])), [
    { do: 'drop-name', file: 'plinth_2_x86-64+1-2.efi', keeps: 'plinth_2_x86-64.efi' },
  ]);
  assert.deepEqual(planRecover(disk('1', '2', ['1', '2+3-0'], '2')), [
    { do: 'drop-name', file: stagedEntryName('2'), keeps: 'plinth_2_x86-64+3-0.efi' },
  ]);
  assert.deepEqual(planRecover(disk('2', '1', ['1', '2+2-1', '2!'])), [
    { do: 'remove-entry', file: 'plinth_2_x86-64.efi' },
  ]);
  assert.equal(does(planRecover(disk('1', '', ['1', '2+3-0'], '3'))), 'remove-entry remove-staged');
});

test('a disk in the words of the field', () => {
  const view = viewSlots(disk('2', '1', ['1', '2']));
  assert.deepEqual(view, {
    booted: { version: '2', rootHash: HASHES['2'], slot: 'a', state: 'proven', triesLeft: 0, triesDone: 0 },
    rollback: { version: '1', rootHash: HASHES['1'], slot: 'b', state: 'proven', triesLeft: 0, triesDone: 0 },
    writeProtected: ['a'],
  });
  const trial = viewSlots(disk('2', '1', ['1', '2+2-1']));
  assert.deepEqual([trial.booted.state, trial.booted.triesLeft, trial.booted.triesDone], ['trial', 2, 1]);
  assert.deepEqual(trial.writeProtected, ['a', 'b']);
  assert.equal(viewSlots(disk('1', '2', ['1'], '2')).staged?.activated, false);
  assert.equal(viewSlots(disk('1', '2', ['1', '2+3-0'])).staged?.activated, true);
  assert.equal(viewSlots(disk('1', '2', ['1', '2+0-3'])).retired?.state, 'failed');
  assert.equal(viewSlots(disk('1', '2', ['1'])).retired?.state, 'none');
  const alone = viewSlots(disk('1', '', ['1']));
  assert.deepEqual([alone.staged, alone.rollback, alone.retired], [undefined, undefined, undefined]);
});

const version = fc.stringMatching(/^[0-9][0-9A-Za-z.~^-]{0,21}$/);

test('names of boot entries and staged UKIs are read back, and no other file is taken for one', () => {
  const counter = fc.nat(999);
  fc.assert(
    fc.property(version, counter, counter, (one, triesLeft, triesDone) => {
      const counters = { triesLeft, triesDone };
      const [counted, proven] = [bootEntryName(one, counters), bootEntryName(one)];
      assert.deepEqual(parseBootEntryName(counted), { file: counted, version: one, ...counters });
      assert.deepEqual(parseBootEntryName(proven), { file: proven, version: one });
      const staged = stagedEntryName(one);
      // Boot loaders list what ends in ".efi".
      assert.ok(!staged.endsWith('.efi'));
      assert.equal(parseStagedEntryName(staged), one);
      assert.equal(parseBootEntryName(staged), undefined);
      assert.equal(parseStagedEntryName(counted), undefined);
    }),
  );
  const foreign = [
    'linux.efi',
    'plinth_1.efi',
    'plinth_1_arm64.efi',
    'other_1_x86-64.efi',
    'plinth_1_x86-64+.efi',
  ];
  for (const file of foreign) assert.equal(parseBootEntryName(file), undefined, file);
  assert.deepEqual(parseBootEntryName('plinth_1_x86-64+3.efi')?.triesDone, 0);
});

test('names of slots are read back, fit a partition label, and an empty slot holds nothing', () => {
  const rootHash = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(version, rootHash, fc.constantFrom<SlotName>('a', 'b'), (one, hash, slot) => {
      const names = slotNames({ version: one, rootHash: hash });
      assert.deepEqual(readSlotNames(slot, names), { name: slot, version: one, rootHash: hash });
      const ids = Object.values(names).map(({ label, uuid }) => {
        assert.ok(label.length <= 36, label);
        assert.match(uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        return uuid;
      });
      assert.equal(`${ids[0]}${ids[1]}`.replaceAll('-', ''), hash);
      const empty = { name: slot, version: '', rootHash: '' };
      assert.deepEqual(readSlotNames(slot, emptySlotNames(slot)), empty);
      // Labels of two versions: none of them counts.
      assert.deepEqual(
        readSlotNames(slot, { ...names, verity: slotNames({ version: `${one}0`, rootHash: hash }).verity }),
        empty,
      );
    }),
  );
  const all = (['a', 'b'] as const).flatMap((slot) =>
    Object.values(emptySlotNames(slot)).map(({ uuid }) => uuid),
  );
  assert.equal(new Set(all).size, 6);
});
