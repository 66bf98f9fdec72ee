import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@plinth/host/testing';
import { openTokenBucket } from './token-bucket.ts';
import { openWorkQueue } from './work-queue.ts';

function queueOf(work: (key: string) => Promise<number | undefined>, width = 2) {
  const failed: string[] = [];
  const queue = openWorkQueue({
    ...{ width, work, nowMs: Date.now, random: () => 0 },
    failed: (key) => void failed.push(key),
  });
  return { queue, failed };
}

/** How fast the machine is decides how long this takes, never what comes of it. */
const until = (ask: () => boolean) => eventually(ask, { patienceMs: 30_000, everyMs: 2 });

suite('work queue', () => {
  test('a key is never looked at twice at the same time; what happens meanwhile is one look more', async () => {
    let [running, most, looks] = [0, 0, 0];
    const { queue } = queueOf(async () => {
      most = Math.max(most, ++running);
      looks++;
      await sleep(10);
      running--;
      return undefined;
    });
    for (let times = 0; times < 5; times++) queue.add('a');
    for (let times = 0; times < 5; times++) queue.add('a');
    await until(() => looks === 2 && running === 0);
    await sleep(30);
    assert.deepEqual([most, looks], [1, 2]);
    await queue.close();
  });

  test('no more keys at the same time than there is room for, and all have their turn', async () => {
    let [running, most] = [0, 0];
    const seen = new Set<string>();
    const { queue } = queueOf(async (key) => {
      most = Math.max(most, ++running);
      seen.add(key);
      await sleep(2);
      running--;
      return undefined;
    }, 3);
    for (let key = 0; key < 20; key++) queue.add(String(key));
    await until(() => seen.size === 20 && running === 0);
    assert.deepEqual([most, seen.size, queue.depth], [3, 20, 0]);
    await queue.close();
  });

  test('a key that fails is tried again later and stands in no other key’s way (karpenter: the oldest that fails starves all)', async () => {
    const looks: string[] = [];
    const { queue, failed } = queueOf(async (key) => {
      looks.push(key);
      if (key === 'bad') throw new Error('no');
      return undefined;
    }, 1);
    queue.add('bad');
    queue.add('good');
    await until(() => failed.length >= 2);
    assert.deepEqual(looks.slice(0, 3), ['bad', 'good', 'bad']);
    await queue.close();
  });

  test('an earlier moment wins over a later one, and an event over both', async () => {
    let looks = 0;
    const began = Date.now();
    const { queue } = queueOf(async () => {
      looks++;
      return undefined;
    });
    queue.addAt('a', began + 600_000);
    queue.addAt('a', began + 40);
    queue.addAt('a', began + 500_000);
    await until(() => looks === 1);
    assert.ok(Date.now() - began >= 39);
    queue.addAt('a', Date.now() + 600_000);
    queue.add('a');
    await until(() => looks === 2);
    await queue.close();
  });
});

test('a bucket gives its burst at once, then its rate, however it is asked', () => {
  let nowMs = 0;
  const bucket = openTokenBucket(10, 5, () => nowMs);
  const given = () => {
    let count = 0;
    while (bucket.take() === 0) count++;
    return count;
  };
  assert.equal(given(), 5);
  assert.equal(bucket.take(), 100);
  nowMs = 1_000;
  assert.equal(given(), 5, 'never more than the burst');
  nowMs = 1_250;
  assert.equal(given(), 2);
});
