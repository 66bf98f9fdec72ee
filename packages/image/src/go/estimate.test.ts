import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeSeconds, estimateSeconds, remainingSeconds } from './estimate.ts';

test('compiling is shared by the processors, linking is not', () => {
  assert.equal(estimateSeconds({ compile: 600, link: 40 }, 1), 640);
  assert.equal(estimateSeconds({ compile: 600, link: 40 }, 4), 190);
});

test('what remains follows the table first and the machine later, and is never negative', () => {
  assert.equal(remainingSeconds(600, 0, 10), 590);
  assert.equal(remainingSeconds(600, 0.5, 100), 100);
  assert.equal(remainingSeconds(600, 1, 100), 0);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      fc.double({ min: -1, max: 2, noNaN: true }),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      (estimate, share, elapsed) => assert.ok(remainingSeconds(estimate, share, elapsed) >= 0),
    ),
  );
});

test('durations in the words of people', () => {
  assert.deepEqual([0, 40, 89, 90, 540].map(describeSeconds), ['1 s', '40 s', '89 s', '2 min', '9 min']);
});
