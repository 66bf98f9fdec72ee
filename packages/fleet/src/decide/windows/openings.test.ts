import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Lane, type WindowSpec, windowSpec } from '../../objects/index.ts';
import { openingsOf, type ReadWindow, readWindow } from './openings.ts';

const MINUTE = 60_000;
const DAYS = 6;

/** Periods with a clock change in them: by an hour, by half an hour, at midnight, by a whole day; and one without. */
const PERIODS = [
  ['Europe/Berlin', '2026-03-27'],
  ['Europe/Berlin', '2026-10-23'],
  ['America/New_York', '2026-10-30'],
  ['Australia/Lord_Howe', '2026-10-02'],
  ['Australia/Lord_Howe', '2027-04-02'],
  ['America/Sao_Paulo', '2018-11-02'],
  ['Pacific/Apia', '2011-12-28'],
  ['Asia/Kolkata', '2026-06-01'],
] as const;

interface Wall {
  readonly text: string;
  readonly minutes: number;
  readonly date: Date;
}

const walls = new Map<string, readonly Wall[]>();

/** The clock on the wall for each minute of a period, by Intl: nothing of it is shared with what is tested. */
function wallsOf(timeZone: string, from: string): readonly Wall[] {
  const key = `${timeZone} ${from}`;
  let found = walls.get(key);
  if (found === undefined) {
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const startMs = Date.parse(`${from}T00:00:00Z`) - 3 * 1440 * MINUTE;
    found = Array.from({ length: (DAYS + 3) * 1440 }, (_, index) => {
      const text = format.format(startMs + index * MINUTE);
      const date = new Date(`${text.replace(' ', 'T')}Z`);
      return { text, minutes: date.getTime() / MINUTE, date };
    });
    walls.set(key, found);
  }
  return found;
}

interface Case {
  readonly kind: 'Allow' | 'Deny';
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly weekdays: readonly number[];
  readonly lengthMinutes: number;
}

function matches(one: Case, minutes: number): boolean {
  const date = new Date(minutes * MINUTE);
  return (
    one.minutes.includes(date.getUTCMinutes()) &&
    one.hours.includes(date.getUTCHours()) &&
    one.weekdays.includes(date.getUTCDay())
  );
}

/** For each minute of the period, whether a window is open, minute by minute. */
function bruteForce(one: Case, walls: readonly Wall[]): boolean[] {
  const seen = new Set<number>();
  let leftMinutes = 0;
  return walls.map(({ minutes }, index) => {
    const before = walls[index - 1]?.minutes ?? minutes - 1;
    let starts = !seen.has(minutes) && matches(one, minutes);
    for (let skipped = before + 1; skipped < minutes; skipped += 1) starts ||= matches(one, skipped);
    seen.add(minutes);
    leftMinutes = starts ? one.lengthMinutes : Math.max(0, leftMinutes - 1);
    return leftMinutes > 0;
  });
}

function specOf(one: Case, timeZone: string): WindowSpec {
  return windowSpec.parse({
    kind: one.kind,
    schedule: `${one.minutes.join(',')} ${one.hours.join(',')} * * ${one.weekdays.join(',')}`,
    duration: `${one.lengthMinutes}m`,
    timeZone,
    drainCutoff: '0s',
  });
}

function read(spec: WindowSpec): ReadWindow {
  const window = readWindow(spec);
  assert.ok(typeof window !== 'string', String(window));
  return window;
}

const oneCase = fc.record({
  kind: fc.constantFrom('Allow' as const, 'Deny' as const),
  minutes: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 3 }),
  hours: fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 23 })), {
    minLength: 1,
    maxLength: 3,
  }),
  weekdays: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 3, maxLength: 7 }),
  lengthMinutes: fc.integer({ min: 1, max: 1800 }),
});

test('windows are open in exactly the minutes that a minute-by-minute walk of the wall clock finds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PERIODS),
      fc.array(oneCase, { minLength: 1, maxLength: 4 }),
      ([timeZone, from], cases) => {
        const clock = wallsOf(timeZone, from);
        const truth = cases.map((one) => bruteForce(one, clock));
        const windows = cases.map((one) => read(specOf(one, timeZone)));
        const fromMs = Date.parse(`${from}T00:00:00Z`);
        const openings = openingsOf(windows, 'Standard', fromMs, fromMs + DAYS * 1440 * MINUTE, 0);
        const hasAllow = cases.some(({ kind }) => kind === 'Allow');
        for (let minute = 0; minute < DAYS * 1440; minute += 1) {
          const at = fromMs + minute * MINUTE;
          const isOpen = (kind: string) =>
            cases.some((one, index) => one.kind === kind && truth[index]?.[minute + 3 * 1440]);
          const expected = (!hasAllow || isOpen('Allow')) && !isOpen('Deny');
          const found = openings.some(({ startMs, endMs }) => startMs <= at && at < endMs);
          assert.equal(found, expected, `${timeZone} ${clock[minute + 3 * 1440]?.text}`);
        }
      },
    ),
    { numRuns: 120 },
  );
});

const HOUR = 60 * MINUTE;

function starts(schedule: string, timeZone: string, day: string): string[] {
  const fromMs = Date.parse(`${day}T00:00:00Z`);
  const spec = windowSpec.parse({ kind: 'Allow', schedule, duration: '10m', timeZone });
  return openingsOf([read(spec)], 'Standard', fromMs, fromMs + 24 * HOUR, 0).map(({ startMs }) =>
    new Date(startMs).toISOString().slice(11, 16),
  );
}

test('a start that the clock leaves out opens at the next minute there is (coreos/zincati windows over DST)', () => {
  assert.deepEqual(starts('30 2 * * *', 'Europe/Berlin', '2026-03-29'), ['01:00']);
});

test('an hour that comes twice opens once', () => {
  assert.deepEqual(starts('30 2 * * *', 'Europe/Berlin', '2026-10-25'), ['00:30']);
});

const night = { schedule: '0 22 * * *', duration: '8h', timeZone: 'UTC' };
const at = (text: string) => Date.parse(`2026-06-01T${text}Z`);
const lanesOpen = (specs: readonly WindowSpec[], lane: Lane, atMs: number, slotMs = 0) =>
  openingsOf(specs.map(read), lane, atMs, atMs + 48 * HOUR, slotMs).some(
    ({ startMs, lastStartMs }) => startMs <= atMs && atMs < lastStartMs,
  );

test('Critical ignores Allow and soft Deny, and keeps a hard Deny', () => {
  const allow = windowSpec.parse({ kind: 'Allow', ...night });
  const soft = windowSpec.parse({ kind: 'Deny', schedule: '0 0 * * *', duration: '24h' });
  const hard = { ...soft, hardDeny: true };
  assert.equal(lanesOpen([allow], 'Standard', at('12:00')), false);
  assert.equal(lanesOpen([allow], 'Critical', at('12:00')), true);
  assert.equal(lanesOpen([allow, soft], 'Critical', at('12:00')), true);
  assert.equal(lanesOpen([allow, soft], 'Standard', at('23:00')), false);
  assert.equal(lanesOpen([allow, hard], 'Critical', at('12:00')), false);
});

test('no node is begun with when the cut-off or the p90 of a slot would not fit before the end', () => {
  const allow = windowSpec.parse({ kind: 'Allow', ...night, drainCutoff: '30m' });
  assert.equal(lanesOpen([allow], 'Standard', at('05:29')), true);
  assert.equal(lanesOpen([allow], 'Standard', at('05:30')), false);
  assert.equal(lanesOpen([allow], 'Standard', at('05:00'), 45 * MINUTE), true);
  assert.equal(lanesOpen([allow], 'Standard', at('05:15'), 45 * MINUTE), false);
});

test('windows that touch are one opening: the cut-off is before its end, not in its middle', () => {
  const evening = windowSpec.parse({ kind: 'Allow', schedule: '0 22 * * *', duration: '2h' });
  const morning = windowSpec.parse({ kind: 'Allow', schedule: '0 0 * * *', duration: '2h' });
  assert.equal(lanesOpen([evening, morning], 'Standard', at('23:45')), true);
  assert.equal(lanesOpen([evening, morning], 'Standard', at('01:45')), false);
});

test('a schedule that never comes is never open and ends the search', () => {
  const never = windowSpec.parse({ kind: 'Allow', schedule: '0 0 30 2 *', duration: '1h' });
  assert.equal(lanesOpen([never], 'Standard', at('00:00')), false);
});

test('a zone or schedule that is none is said, not thrown', () => {
  const spec = windowSpec.parse({ kind: 'Allow', ...night, timeZone: 'Mars/Olympus' });
  assert.match(String(readWindow(spec)), /no time zone/);
  assert.match(String(readWindow({ ...spec, timeZone: 'UTC', schedule: 'x' })), /five/);
});
