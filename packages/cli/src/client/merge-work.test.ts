import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { openChannel, openPlaces, yieldAsTheyCome } from './merge-work.ts';

test('results are given in the order they are there', async () => {
  const after = (ms: number) => sleep(ms, ms);
  const seen: number[] = [];
  for await (const ms of yieldAsTheyCome([after(60), after(10), after(30)])) seen.push(ms);
  assert.deepEqual(seen, [10, 30, 60]);
});

test('no more than the places are taken at once, and all get one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 20 }),
      async (count, works) => {
        const places = openPlaces(count);
        let running = 0;
        let most = 0;
        let done = 0;
        await Promise.all(
          Array.from({ length: works }, async () => {
            const free = await places.take();
            most = Math.max(most, ++running);
            await new Promise((resolve) => setImmediate(resolve));
            running--;
            done++;
            free();
            free(); // twice frees once
          }),
        );
        assert.ok(most <= count);
        assert.equal(done, works);
      },
    ),
    { numRuns: 50 },
  );
});

test('a channel hands over every item; writers wait for the reader', async () => {
  const channel = openChannel<number>();
  let taken = 0;
  const write = async () => {
    for (let item = 0; item < 100; item++) {
      await channel.put(item);
      taken = item;
    }
    channel.end();
  };
  void write();
  const seen: number[] = [];
  for await (const item of channel.items()) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(item - taken <= 1);
    seen.push(item);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, item) => item),
  );
});

test('a channel ends with its reason, and a reader that goes lets writers go on', async () => {
  const broken = openChannel<number>();
  broken.end(new Error('lost'));
  await assert.rejects(broken.items().next(), /lost/);
  const left = openChannel<number>();
  const writing = Promise.all([left.put(1), left.put(2)]);
  for await (const item of left.items()) if (item === 1) break;
  await writing;
  await left.put(3);
});
