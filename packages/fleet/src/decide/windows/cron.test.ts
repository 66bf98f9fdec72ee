import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCron } from './cron.ts';

function read(text: string) {
  const cron = parseCron(text);
  assert.ok(typeof cron !== 'string', String(cron));
  return cron;
}

test('lists, ranges, steps and names', () => {
  assert.deepEqual(read('0,30 22 * * *').minutesOfDay, [1320, 1350]);
  assert.deepEqual(read('*/20 1-2 * * *').minutesOfDay, [60, 80, 100, 120, 140, 160]);
  assert.deepEqual(read('50/5 0 * * *').minutesOfDay, [50, 55]);
  const weekend = read('0 0 * jan-mar sat,7');
  assert.equal(weekend.isDay(2, 1, 6), true);
  assert.equal(weekend.isDay(2, 1, 0), true);
  assert.equal(weekend.isDay(2, 1, 1), false);
  assert.equal(weekend.isDay(4, 1, 6), false);
});

test('when both days are restricted, either one suffices, as in all of cron', () => {
  const cron = read('0 0 13 * 5');
  assert.equal(cron.isDay(1, 13, 2), true);
  assert.equal(cron.isDay(1, 2, 5), true);
  assert.equal(cron.isDay(1, 2, 2), false);
});

test('what is no schedule is refused with the field', () => {
  for (const [text, part] of [
    ['0 0 * *', 'five'],
    ['60 0 * * *', 'minute'],
    ['0 24 * * *', 'hour'],
    ['0 0 0 * *', 'day of month'],
    ['0 0 * 13 *', 'month'],
    ['0 0 * * 8', 'day of week'],
    ['5-1 0 * * *', 'before it begins'],
    ['*/0 0 * * *', 'minute'],
    ['*-5 0 * * *', 'no range'],
    ['@daily', 'five'],
    ['0x1 0 * * *', 'minute'],
  ] as const)
    assert.match(String(parseCron(text)), new RegExp(part));
});

test('any text is either read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789*/-, ,JANmon') }), (text) => {
      const cron = parseCron(text);
      if (typeof cron !== 'string')
        assert.ok(cron.minutesOfDay.every((minute) => minute >= 0 && minute < 1440));
    }),
  );
});
