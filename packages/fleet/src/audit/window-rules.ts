import { durationMs, type Lane, type WindowSpec } from '../objects/index.ts';

// Windows, read anew for the audit: where the operator unfolds schedules into openings, this asks of each minute before a moment
// whether a window began in it. Slow, and of another make.

const MINUTE_MS = 60_000;
const LONGEST_MS = 31 * 24 * 60 * MINUTE_MS;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/**
 * isClosed says whether windows keep nodes of a lane from being begun with; pure. undefined: it does not say, since a clock was changed
 * within a window, or a schedule cannot be read.
 */
export function isClosed(windows: readonly WindowSpec[], lane: Lane, atMs: number): boolean | undefined {
  const used = windows.filter(
    ({ kind, hardDeny, lanes }) => lanes.includes(lane) || (kind === 'Deny' && hardDeny),
  );
  const within = used.map((spec) => isWithin(spec, atMs));
  if (within.includes(undefined)) return undefined;
  const isIn = (kind: WindowSpec['kind']) =>
    used.some((spec, index) => spec.kind === kind && within[index] === true);
  return isIn('Deny') || (used.some(({ kind }) => kind === 'Allow') && !isIn('Allow'));
}

function isWithin({ schedule, duration, timeZone }: WindowSpec, atMs: number): boolean | undefined {
  const fields = schedule.trim().split(/\s+/);
  const lengthMs = Math.min(durationMs(duration), LONGEST_MS);
  const offsetMs = offsetOf(timeZone, atMs);
  if (fields.length !== 5 || offsetMs === undefined || offsetOf(timeZone, atMs - lengthMs) !== offsetMs)
    return undefined;
  const lastMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  for (let startMs = lastMs; startMs > atMs - lengthMs; startMs -= MINUTE_MS) {
    const begins = beginsAt(fields, new Date(startMs + offsetMs));
    if (begins !== false) return begins;
  }
  return false;
}

/** @param wall a moment whose UTC fields are the time on the wall */
function beginsAt(fields: readonly string[], wall: Date): boolean | undefined {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const isWeekday = [wall.getUTCDay(), ...(wall.getUTCDay() === 0 ? [7] : [])].map((value) =>
    matches(weekday, value, [0, 7], DAYS),
  );
  const isDay = matches(day, wall.getUTCDate(), [1, 31], []);
  const asked = [
    matches(minute, wall.getUTCMinutes(), [0, 59], []),
    matches(hour, wall.getUTCHours(), [0, 23], []),
    matches(month, wall.getUTCMonth() + 1, [1, 12], ['', ...MONTHS]),
  ];
  if ([...asked, ...isWeekday, isDay].includes(undefined)) return undefined;
  const isEither = day !== '*' && weekday !== '*';
  const isOnWeekday = isWeekday.includes(true);
  return !asked.includes(false) && (isEither ? isDay === true || isOnWeekday : isDay === true && isOnWeekday);
}

function matches(
  field: string,
  value: number,
  [min, max]: readonly [number, number],
  names: readonly string[],
): boolean | undefined {
  const numberOf = (text: string) => {
    const named = names.indexOf(text.toLowerCase().slice(0, 3));
    return text !== '' && named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  };
  let isIn = false;
  for (const part of field.split(',')) {
    const [range = '', every] = part.split('/');
    const [from = '', to] = range === '*' ? [`${min}`, `${max}`] : range.split('-');
    const first = numberOf(from);
    const last = to === undefined ? (every === undefined ? first : max) : numberOf(to);
    const step = every === undefined ? 1 : numberOf(every);
    if (!(first >= min && last <= max && first <= last && step >= 1)) return undefined;
    isIn ||= value >= first && value <= last && (value - first) % step === 0;
  }
  return isIn;
}

/** By how much the clocks of a zone are ahead of UTC; undefined: there is no such zone. */
function offsetOf(timeZone: string, atMs: number): number | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const wallMs = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'));
    return wallMs - Math.floor(atMs / 1000) * 1000;
  } catch {
    return undefined;
  }
}
