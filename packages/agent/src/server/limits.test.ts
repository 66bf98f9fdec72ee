import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openBudget } from './budget.ts';
import { openCallRate } from './call-rate.ts';
import { chooseToEnd } from './connections.ts';

const signal = new AbortController().signal;

test('a client may make a burst of calls, then so many a second, and others do not notice', () => {
  let now = 1_000;
  const rate = openCallRate({ perSecond: 10, burst: 20 }, () => now);
  const take = (client: string, count: number) =>
    Array.from({ length: count }, () => rate(client)).filter((verdict) => verdict === 'ok').length;
  assert.equal(take('a', 50), 20);
  assert.equal(take('b', 5), 5);
  assert.equal(rate('a'), 'again');
  now += 1_000;
  assert.equal(take('a', 50), 10);
  now += 60_000;
  assert.equal(take('a', 50), 20);
});

test('a clock that is set back refuses nobody', () => {
  let now = 100_000;
  const rate = openCallRate({ perSecond: 10, burst: 2 }, () => now);
  rate('a');
  now = 0;
  assert.equal(rate('a'), 'ok');
});

test('a budget holds its bounds, loses no place, and lets every client have one, whatever comes and goes', async () => {
  const limits = { total: 6, reserve: 4, perClient: 3, waitingPerClient: 2, waitMs: 1_000 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), { maxLength: 60 }),
      async (moves) => {
        const budget = openBudget(limits);
        const held = new Map<string, (() => void)[]>();
        const leaveAll: Promise<unknown>[] = [];
        for (const [client, enters] of moves) {
          const own = held.get(client) ?? [];
          held.set(client, own);
          if (!enters) own.pop()?.();
          else
            leaveAll.push(
              budget.enter(client, signal).then(
                (leave) => own.push(leave),
                () => {},
              ),
            );
          await Promise.resolve();
          assert.ok(budget.running <= limits.total + limits.reserve);
          for (const places of held.values()) assert.ok(places.length <= limits.perClient);
        }
        while (budget.running > 0) {
          for (const own of held.values()) own.pop()?.();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(leaveAll);
      },
    ),
    { numRuns: 200 },
  );
});

test('who fills a budget does not shut others out', async () => {
  const budget = openBudget({ total: 4, reserve: 2, perClient: 4, waitingPerClient: 9, waitMs: 50 });
  for (let call = 0; call < 4; call++) await budget.enter('greedy', signal);
  const waiting = budget.enter('greedy', signal);
  (await budget.enter('other', signal))();
  await assert.rejects(waiting, /no place became free in 50 ms/);
});

test('of the calls that wait, the one of the client with the fewest at work comes first', async () => {
  const budget = openBudget({ total: 2, reserve: 0, perClient: 2, waitingPerClient: 9, waitMs: 1_000 });
  const first = await budget.enter('a', signal);
  const second = await budget.enter('a', signal);
  const order: string[] = [];
  const wait = (client: string) => budget.enter(client, signal).then(() => order.push(client));
  const [later, sooner] = [wait('a'), wait('b')];
  first();
  await sooner;
  assert.deepEqual(order, ['b']);
  second();
  await later;
});

test('a new session takes the place of an idle one of the client with the most, and of no call at work', () => {
  const limits = { sessions: 4, perClient: 3 };
  const session = (client: string, lastUsedMs: number, calls = 0) => ({ client, lastUsedMs, calls });
  const [a1, a2, a3, b1] = [session('a', 3), session('a', 1), session('a', 2), session('b', 0)];
  assert.deepEqual(chooseToEnd([a1, a2, b1], 'c', limits), []);
  assert.deepEqual(chooseToEnd([a1, a2, a3, b1], 'c', limits), [a2]);
  assert.deepEqual(chooseToEnd([a1, a2, a3], 'a', limits), [a2]);
  const busy = [session('a', 1, 1), session('a', 2, 1), session('a', 3, 2)];
  assert.equal(chooseToEnd(busy, 'a', limits), undefined);
  assert.deepEqual(chooseToEnd([...busy, b1], 'c', limits), [b1]);
});
