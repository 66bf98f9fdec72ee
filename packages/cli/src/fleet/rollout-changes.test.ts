import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FleetView, RolloutSpec, RolloutStatus, StoredRollout } from '@plinth/fleet';
import { findRollout } from './find-rollout.ts';
import { abortWith, haltFor, promoteTo, resume } from './rollout-changes.ts';

const now = new Date('2026-11-22T12:00:00Z');
const moment = now.toISOString();

function rollout(name: string, spec: Partial<RolloutSpec>, status: Partial<RolloutStatus>): StoredRollout {
  return {
    ...{ name, uid: 'u', resourceVersion: '1', generation: 1, createdAtMs: 0 },
    spec: {
      ...{ release: 'r', policy: 'p', lane: 'Standard', paused: false, halt: '', abort: 'None' },
      promotedWave: 0,
      ...spec,
    },
    status: {
      ...{ phase: 'Progressing', since: moment, startedAt: moment, deadline: moment, wave: 0, counts: {} },
      ...{ concurrency: 0, slotSeconds: [], failures: [], blockers: [], conditions: [] },
      ...status,
    },
  };
}

test('promoting lifts a halt and leaves the waves; without a halt it goes to the next wave', () => {
  const budget = { code: 'rollout/failure-budget', text: 'three nodes failed' };
  const halted = promoteTo(undefined)(rollout('a', {}, { phase: 'Halted', wave: 2, halt: budget }), now);
  assert.deepEqual(halted.spec, { halt: '', clearedHaltAt: moment });
  assert.match(halted.question ?? '', /three nodes failed/);
  const person = promoteTo(undefined)(rollout('a', { halt: 'pods crash' }, {}), now);
  assert.deepEqual(person.spec, { halt: '', clearedHaltAt: moment });
  const soaking = promoteTo(undefined)(rollout('a', {}, { phase: 'Soaking', wave: 2 }), now);
  assert.deepEqual([soaking.spec, soaking.says], [{ promotedWave: 3 }, 'goes to wave 4']);
});

test('a wave is counted from one by people, and a promotion is never taken back', () => {
  assert.deepEqual(promoteTo(4)(rollout('a', {}, { wave: 1 }), now).spec, { promotedWave: 3 });
  assert.deepEqual(promoteTo(2)(rollout('a', { promotedWave: 3 }, { wave: 3 }), now).spec, {
    promotedWave: 3,
  });
  const both = promoteTo(3)(rollout('a', {}, { phase: 'Halted' }), now);
  assert.deepEqual(both.spec, { halt: '', clearedHaltAt: moment, promotedWave: 2 });
});

test('resuming says that a halt stays; aborting says how many nodes it is about, before it is done', () => {
  assert.match(resume(rollout('a', {}, { phase: 'Halted' }), now).says, /promote/);
  assert.deepEqual(haltFor('why')(rollout('a', {}, {}), now).spec, { halt: 'why' });
  const back = abortWith(true)(rollout('a', {}, { counts: { Done: 7 } }), now);
  assert.deepEqual(back.spec, { abort: 'Rollback' });
  assert.match(back.question ?? '', /7 updated nodes/);
});

test('a rollout is found by its name, or by its policy when one of it is under way', () => {
  const of = (...all: StoredRollout[]) =>
    ({ rollouts: new Map(all.map((each) => [each.name, each])) }) as unknown as FleetView;
  const done = rollout('p-1', {}, { phase: 'Complete' });
  const open = rollout('p-2', {}, {});
  assert.equal(findRollout(of(done, open), 'p'), open);
  assert.equal(findRollout(of(done, open), 'p-1'), done);
  assert.throws(() => findRollout(of(done), 'p'), { code: 'fleet/unknown-rollout' });
  assert.throws(() => findRollout(of(open, rollout('p-3', {}, {})), 'p'), {
    code: 'fleet/unknown-rollout',
    message: /p-2, p-3/,
  });
});
