import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTime } from './parse-time.ts';

const now = Date.UTC(2026, 10, 22, 6, 0, 0, 500);
const ms = (text: string) => {
  const { seconds, nanos } = parseTime(text, '--since', now);
  return Number(seconds) * 1000 + nanos / 1e6;
};

test('parseTime reads spans back from now, and dates in UTC or their own zone', () => {
  assert.equal(ms('90s'), now - 90_000);
  assert.equal(ms('15m'), now - 15 * 60_000);
  assert.equal(ms('3d'), now - 3 * 86_400_000);
  assert.equal(ms('2026-11-22'), Date.UTC(2026, 10, 22));
  assert.equal(ms('2026-11-22 05:00'), Date.UTC(2026, 10, 22, 5));
  assert.equal(ms('2026-11-22T05:00:01.25Z'), Date.UTC(2026, 10, 22, 5, 0, 1, 250));
  assert.equal(ms('2026-11-22T05:00:00+02:00'), Date.UTC(2026, 10, 22, 3));
});

test('parseTime refuses everything else, with what it takes', () => {
  for (const text of [
    '',
    'yesterday',
    '5',
    '5w',
    '-5m',
    '2026-13-01',
    '2026-11-22 25:00',
    '22.11.2026',
    '999999999d',
  ])
    assert.throws(() => parseTime(text, '--since', now), {
      code: 'cli/usage',
      message: /--since.*expected "15m"/,
    });
});
