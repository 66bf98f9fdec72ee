import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Delivery, openEventBus } from './event-bus.ts';

const event = (subject: string) => ({ topic: 'unit', subject, state: 'started' }) as const;

/** Reads as many as there are told of, then hangs up. */
async function take(
  bus: ReturnType<typeof openEventBus>,
  count: number,
  after?: number,
): Promise<Delivery[]> {
  const hangUp = new AbortController();
  const found: Delivery[] = [];
  for await (const each of bus.subscribe(hangUp.signal, after)) {
    found.push(each);
    if (found.length === count) break;
  }
  return found;
}

test('a reader gets what is remembered, then what happens', async () => {
  const bus = openEventBus(() => 5);
  bus.publish(event('a'));
  bus.publish(event('b'));
  const reading = take(bus, 3, 1);
  const fresh = take(bus, 1);
  await new Promise((resolve) => setImmediate(resolve));
  bus.publish(event('c'));
  bus.publish(event('d'));
  assert.deepEqual(
    (await reading).map((each) => [each.event.subject, each.event.sequence, each.missed]),
    [
      ['b', 2, 0],
      ['c', 3, 0],
      ['d', 4, 0],
    ],
  );
  assert.deepEqual(
    (await fresh).map((each) => each.event.subject),
    ['c'],
  );
});

test('a slow reader loses the oldest, is told how many, and holds up nobody', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 20 }),
      async (bursts) => {
        const bus = openEventBus(() => 0, 5);
        const hangUp = new AbortController();
        const reader = bus.subscribe(hangUp.signal, 0)[Symbol.asyncIterator]();
        let published = 0;
        let accounted = 0;
        for (const burst of bursts) {
          for (let count = 0; count < burst; count++) bus.publish(event(String(++published)));
          if (accounted === published) continue;
          const { value } = await reader.next();
          assert.ok(value);
          accounted += value.missed + 1;
          assert.equal(value.event.sequence, accounted);
          assert.ok(published - accounted < 5, 'no more than what is remembered is to come');
        }
        hangUp.abort();
      },
    ),
  );
});

test('sources learn when somebody watches, and a number of an earlier life means everything', async () => {
  const bus = openEventBus(() => 0);
  const seen: boolean[] = [];
  bus.onWatched((watched) => seen.push(watched));
  bus.publish(event('a'));
  assert.equal((await take(bus, 1, 900))[0]?.event.subject, 'a');
  const hangUp = new AbortController();
  const waiting = (async () => {
    for await (const _each of bus.subscribe(hangUp.signal)) assert.fail('nothing happens');
  })();
  await new Promise((resolve) => setImmediate(resolve));
  hangUp.abort();
  await waiting;
  assert.deepEqual(seen, [true, false, true, false]);
});

test('texts are cut', async () => {
  const bus = openEventBus(() => 0);
  bus.publish({ ...event('x'.repeat(9999)), text: 'y'.repeat(9999) });
  const [first] = await take(bus, 1, 0);
  assert.deepEqual([first?.event.subject.length, first?.event.text.length], [512, 512]);
});
