import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bootEntryName, parseBootEntryName, type SlotDisk, stagedEntryName } from '@plinth/updates';
import type { MachineAct } from '../../machine/machine-act.ts';
import type { StageRecord, UpdateState } from '../types.ts';
import { slotNote, viewUpdate } from './read-update.ts';

const trial = { triesLeft: 2, triesDone: 1 };
const failed = { triesLeft: 0, triesDone: 3 };

/** A disk that runs one version, beside another or none. */
function disk(booted: string, ...files: string[]): SlotDisk {
  const version = files.find((file) => !file.includes(`_${booted}_`))?.split('_')[1] ?? '';
  const staged = files.includes(stagedEntryName(version)) ? { staged: { version } } : {};
  return {
    slots: [
      { name: 'a', version: booted, rootHash: 'aa' },
      { name: 'b', version, rootHash: version && 'bb' },
    ],
    entries: files.flatMap((file) => parseBootEntryName(file) ?? []),
    ...staged,
    booted: { slot: 'a', version: booted },
  };
}
const good = (version: string) => bootEntryName(version);

const stage = (
  state: StageRecord['state'],
  phase: StageRecord['progress']['phase'],
  askedAtMs = 10,
): StageRecord => ({
  ...{ source: { addresses: [], channel: 'stable' }, by: 'ann', askedAtMs, state },
  progress: {
    ...{ phase, version: '1.1', bytesDone: 0, bytesTotal: 0, bytesCopied: 0, bytesFetched: 0, bytesSaved: 0 },
  },
});
const activated = (
  version: string,
  how: 'activate' | 'roll-back',
  atMs = 5,
): NonNullable<UpdateState['activated']> => ({
  ...{ version, from: '1.0', how, by: 'ann', reason: '', atMs, bootId: 'before' },
});
const act = (state: MachineAct['state'], more: Partial<MachineAct> = {}): MachineAct => ({
  ...{
    kind: 'reboot',
    state,
    askedBy: 'ann',
    reason: '',
    askedAtMs: 1,
    overridden: '',
    bootId: 'now',
    note: '',
  },
  update: { how: 'activate', version: '1.1' },
  ...more,
});

suite('how far an update is', () => {
  const phase = (of: SlotDisk, state: Partial<UpdateState> = {}, running?: MachineAct) =>
    viewUpdate(of, { failed: [], ...state }, running, 'now').phase;
  const plain = disk('1.0', good('1.0'));

  for (const [what, seen, expected] of [
    ['nothing ever happened', phase(plain), 'idle'],
    ['metadata is fetched', phase(plain, { stage: stage('running', 'metadata') }), 'checking'],
    ['blocks are written', phase(plain, { stage: stage('running', 'write') }), 'downloading'],
    ['the slot is read back', phase(plain, { stage: stage('running', 'verify') }), 'verifying'],
    ['it is staged', phase(disk('1.0', good('1.0'), stagedEntryName('1.1'))), 'staged'],
    ['pods go', phase(plain, {}, act('draining')), 'draining'],
    ['the system ends', phase(plain, {}, act('ending')), 'rebooting'],
    [
      'another reboot is none of its business',
      phase(plain, {}, { ...act('ending'), update: undefined }),
      'idle',
    ],
    ['an act of an earlier boot has ended', phase(plain, {}, act('returning', { bootId: 'before' })), 'idle'],
    ['it is on trial', phase(disk('1.1', good('1.0'), bootEntryName('1.1', trial))), 'assessing'],
    ['it is on its last trial', phase(disk('1.1', good('1.0'), bootEntryName('1.1', failed))), 'assessing'],
    [
      'it was kept',
      phase(disk('1.1', good('1.0'), good('1.1')), { activated: activated('1.1', 'activate') }),
      'committed',
    ],
    ['somebody went back', phase(plain, { activated: activated('1.0', 'roll-back') }), 'rolled-back'],
    ['staging failed', phase(plain, { stage: stage('failed', 'write') }), 'failed'],
    [
      'staging failed before something else was kept',
      phase(plain, { stage: stage('failed', 'write', 1), activated: activated('1.0', 'activate') }),
      'committed',
    ],
  ] as const)
    test(what, () => assert.equal(seen, expected));

  test('a boot on trial has a contract before its first look, and never that of another boot', () => {
    const held = { version: '1.1', bootId: 'before', state: 'held', beganAtMs: 1, checks: [] } as const;
    const of = disk('1.1', good('1.0'), bootEntryName('1.1', trial));
    const { contract } = viewUpdate(of, { failed: [], contract: { ...held, checks: [] } }, undefined, 'now');
    assert.deepEqual([contract?.state, contract?.bootId], ['running', 'now']);
  });

  test('what is known of a slot, in words', () => {
    const note = (of: SlotDisk, slot: string, state: UpdateState = { failed: [] }) =>
      slotNote(viewUpdate(of, state, undefined, 'now').view, state, slot);
    const fallen = disk('1.0', good('1.0'), bootEntryName('1.1', failed));
    assert.deepEqual([note(fallen, 'a'), note(fallen, 'b'), note(plain, 'b')], ['proven', 'failed here', '']);
    const left = { version: '1.1', atMs: 1, reason: '', code: 'update/rolled-back' } as const;
    assert.equal(note(fallen, 'b', { failed: [left] }), 'rolled back from');
    assert.equal(note(disk('1.1', good('1.0'), bootEntryName('1.1', trial)), 'a'), 'on trial');
  });
});
