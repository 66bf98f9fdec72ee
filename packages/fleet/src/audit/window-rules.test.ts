import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openingsOf, readWindow } from '../decide/windows/openings.ts';
import { type Lane, windowSpec } from '../objects/index.ts';
import { isClosed } from './window-rules.ts';

const HOUR_MS = 3_600_000;
const window = (fields: object) =>
  windowSpec.parse({ kind: 'Allow', schedule: '0 22 * * 1-5', duration: '8h', ...fields });
const at = (moment: string) => Date.parse(moment);

test('a moment is inside a window, or not, by the clock of its zone', () => {
  const nights = [window({ timeZone: 'Europe/Berlin' })];
  // 2026-11-23 is a Monday; Berlin is an hour ahead.
  assert.equal(isClosed(nights, 'Standard', at('2026-11-23T20:59:59Z')), true);
  assert.equal(isClosed(nights, 'Standard', at('2026-11-23T21:00:00Z')), false);
  assert.equal(isClosed(nights, 'Standard', at('2026-11-24T04:59:59Z')), false);
  assert.equal(isClosed(nights, 'Standard', at('2026-11-24T05:00:00Z')), true);
  assert.equal(isClosed(nights, 'Standard', at('2026-11-28T22:00:00Z')), true, 'a Saturday');
  assert.equal(isClosed(nights, 'Critical', at('2026-11-28T22:00:00Z')), false, 'no window is for the lane');
  assert.equal(isClosed([], 'Standard', 0), false);
});

test('a freeze is closed; the lane Critical keeps the hard ones', () => {
  const freeze = (hardDeny: boolean) => [
    window({ kind: 'Deny', schedule: '0 0 24 12 *', duration: '72h', hardDeny }),
  ];
  const eve = at('2026-12-25T12:00:00Z');
  assert.deepEqual(
    [isClosed(freeze(false), 'Standard', eve), isClosed(freeze(false), 'Critical', eve)],
    [true, false],
  );
  assert.equal(isClosed(freeze(true), 'Critical', eve), true);
});

test('what cannot be read, and a window in which clocks are changed, is not judged', () => {
  const unread = [{ schedule: 'x' }, { schedule: '99 * * * *' }, { timeZone: 'Nowhere/None' }];
  for (const fields of unread) assert.equal(isClosed([window(fields)], 'Standard', 0), undefined);
  const spring = [window({ timeZone: 'Europe/Berlin', schedule: '0 22 * * *' })];
  assert.equal(isClosed(spring, 'Standard', at('2026-03-29T04:00:00Z')), undefined);
});

test('it agrees with the openings that the operator goes by, though made another way', () => {
  const specs = fc.record({
    kind: fc.constantFrom('Allow' as const, 'Deny' as const),
    schedule: fc.constantFrom(
      '0 22 * * 1-5',
      '30 */6 * * *',
      '0 1 1,15 * *',
      '15 3 13 * FRI',
      '0 0 * 3-11 0,6',
      '5/20 8 * * MON-THU/2',
    ),
    duration: fc.constantFrom('15m', '1h30m', '8h', '26h'),
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/Phoenix'),
    lanes: fc.constantFrom<Lane[]>(['Standard'], ['Standard', 'High'], ['Critical']),
    hardDeny: fc.constant(false),
    drainCutoff: fc.constant('0s'),
  });
  const fromMs = at('2026-02-01T00:00:00Z');
  let [open, closed] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(specs, { minLength: 1, maxLength: 3 }),
      fc.nat({ max: 300 * 24 * 60 }),
      fc.constantFrom<Lane>('Standard', 'Critical'),
      (windows, minute, lane) => {
        const atMs = fromMs + minute * 60_000 + 30_000;
        const read = windows.map((spec) => {
          const one = readWindow(spec);
          return typeof one === 'string' ? assert.fail(one) : one;
        });
        const openings = openingsOf(read, lane, atMs - HOUR_MS, atMs + HOUR_MS, 0);
        const isOpen = openings.some(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
        if (isOpen) open += 1;
        else closed += 1;
        assert.equal(isClosed(windows, lane, atMs), !isOpen);
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(open > 10 && closed > 10, `${open} open, ${closed} closed`);
});
