import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askNowAndThen } from './now-and-then.ts';

const MINUTE_MS = 60_000;

test('asks after the start and then now and then, sooner after a failure, and says the same failure once', async () => {
  const ending = new AbortController();
  const sleptMs: number[] = [];
  const said: string[] = [];
  const answers = ['away', 'away', 'other', undefined, 'away'];
  let [asked, wanted] = [0, false];
  await askNowAndThen(
    {
      ask: async () => {
        const failure = answers[asked++];
        if (failure !== undefined) throw new Error(failure);
      },
      wanted: () => wanted,
      console: { say: (text) => void said.push(text) },
      topic: 'update',
    },
    ending.signal,
    async (durationMs) => {
      sleptMs.push(durationMs);
      // The second look is the first that has anybody to ask.
      if (sleptMs.length === 2) wanted = true;
      if (asked === answers.length) ending.abort();
    },
  );
  assert.deepEqual(said, ['update: away', 'update: other', 'update: away']);
  const isBetween = (index: number, [least, most]: readonly [number, number]) =>
    assert.ok(
      (sleptMs[index] ?? 0) >= least * MINUTE_MS && (sleptMs[index] ?? 0) <= most * MINUTE_MS,
      `${index}: ${sleptMs[index]}`,
    );
  const [first, often, sooner] = [
    [2, 4],
    [324, 396],
    [18, 22],
  ] as const;
  for (const [index, limits] of [first, often, sooner, sooner, sooner, often, sooner].entries())
    isBetween(index, limits);
  assert.equal(sleptMs.length, 7);
});
