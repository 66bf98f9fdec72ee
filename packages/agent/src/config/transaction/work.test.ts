import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigState, Effect } from './state.ts';
import { addWork, atBoot, resumeWork, workDone } from './work.ts';

const boot = { bootId: 'one', upMs: 1 };
const network: Effect = { kind: 'reload', unit: 'systemd-networkd.service' };
const runtime: Effect = { kind: 'restart', unit: 'containerd.service' };
const own: Effect = { kind: 'restart', unit: 'plinthd.service' };

function state(work: Partial<ConfigState['work']> = {}): ConfigState {
  const none = { bootId: 'one', done: true, effects: [], owned: [], reboot: [] };
  return { version: 1, nextRevision: 2, current: 1, history: [], work: { ...none, ...work } };
}

test('what was left undone stays on the list, a restart takes the place of a reload, and plinthd comes last', () => {
  const before = state({ done: false, effects: [own, network], owned: ['/b'] });
  const reload: Effect = { kind: 'reload', unit: 'containerd.service' };
  const { work } = addWork(before, boot, { effects: [reload, runtime, { kind: 'live' }], paths: ['/a'] });
  assert.deepEqual(work.effects, [network, runtime, own]);
  assert.deepEqual([work.done, work.owned], [false, ['/a', '/b']]);
});

test('a reboot ends all work but that of the new boot, and what waited for it', () => {
  const before = state({ effects: [network], reboot: ['the kernel reads it once'], owned: ['/b'] });
  const { work } = addWork(before, { bootId: 'two', upMs: 1 }, { effects: [runtime], paths: ['/a'] });
  assert.deepEqual([work.effects, work.reboot, work.bootId], [[runtime], [], 'two']);
  assert.deepEqual(work.owned, ['/a', '/b'], 'a file may lie where a reboot does not take it');
});

test('what needs a reboot is remembered, not done', () => {
  const { work } = addWork(state(), boot, { effects: [{ kind: 'reboot', why: 'x' }], paths: [] });
  assert.deepEqual([work.effects, work.reboot], [[], ['x']]);
  assert.deepEqual(atBoot([{ kind: 'reboot', why: 'x' }, own, network]), [network]);
});

test('a plinthd that starts has read the config and need not start anew for it', () => {
  assert.deepEqual(resumeWork(state({ done: false, effects: [network, own] })).work.effects, [network]);
});

test('when all is done only the files of the config in effect are remembered', () => {
  const { work } = workDone(state({ done: false, effects: [network], owned: ['/a', '/b'] }), ['/b']);
  assert.deepEqual([work.done, work.effects, work.owned], [true, [], ['/b']]);
});
