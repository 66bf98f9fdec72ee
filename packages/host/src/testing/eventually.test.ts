import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atRest, eventually } from './eventually.ts';

test('what comes about is given', async () => {
  let looks = 0;
  const seen = await eventually(
    async () => {
      if (++looks === 1) throw new Error('not there');
      return looks > 2 && 'there';
    },
    { everyMs: 1 },
  );
  assert.deepEqual([seen, looks], ['there', 3]);
  assert.equal(await eventually(() => undefined), undefined);
});

test('what does not come about is told with the last failure', async () => {
  let looks = 0;
  const patience = { everyMs: 1, isHopeless: () => looks === 3 };
  const failing = eventually(() => assert.fail(`look ${++looks}`), patience);
  await assert.rejects(failing, (reason: Error) => reason.message === `look ${looks}`);
  await assert.rejects(
    eventually(() => looks < 0, { patienceMs: 0 }),
    /still not so: \(\) => looks < 0/,
  );
});

test('what cannot come about any more is not waited for, but looked at once more', async () => {
  let ended = false;
  const late = eventually(
    () => {
      if (ended) return 'just in time';
      ended = true;
      return false;
    },
    { isHopeless: () => ended },
  );
  assert.equal(await late, 'just in time');
  const never = eventually(() => assert.fail('its last words'), { isHopeless: () => true });
  await assert.rejects(never, /its last words/);
});

test('what moves is read until it rests', async () => {
  let looks = 0;
  assert.equal(await atRest(() => Math.min(++looks, 3)), 3);
  assert.equal(looks, 13);
});
