/** A cron schedule of five fields, read once: which minutes of which days it names. */
export interface Cron {
  /** Minutes of a day, ascending: 90 is 01:30. */
  readonly minutesOfDay: readonly number[];
  /** Whether a day is named; month 1–12, day 1–31, weekday 0 (Sunday) – 6. */
  readonly isDay: (month: number, day: number, weekday: number) => boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 7, names: WEEKDAYS },
];

/**
 * Reads "minute hour day-of-month month day-of-week": numbers, names, lists, ranges, steps, as Kubernetes' CronJob reads
 * them; when both days are restricted, either one suffices. Answers what is wrong with it, as text, where it is no schedule.
 */
export function parseCron(text: string): Cron | string {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return `${parts.length} fields, expected five`;
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const values = parseField(parts[index] ?? '', field);
    if (typeof values === 'string') return `${field.name}: ${values}`;
    sets.push(values);
  }
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return 'five fields expected';
  if (weekdays.has(7)) sets[4] = new Set([...weekdays, 0]);
  const onWeekday = sets[4] ?? weekdays;
  const isEither = parts[2] !== '*' && parts[4] !== '*';
  return {
    minutesOfDay: [...hours]
      .flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute))
      .sort((a, b) => a - b),
    isDay: (month, day, weekday) =>
      months.has(month) &&
      (isEither ? days.has(day) || onWeekday.has(weekday) : days.has(day) && onWeekday.has(weekday)),
  };
}

function parseField(text: string, field: Field): ReadonlySet<number> | string {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:\/([0-9]{1,2}))?$/i.exec(item);
    if (match === null) return `"${item}" is no number, range or step`;
    const [, from = '', to, step] = match;
    if (from === '*' && to !== undefined) return `"${item}" is no range`;
    const first = from === '*' ? field.min : valueIn(from, field);
    const openEnd = from === '*' || step !== undefined ? field.max : first;
    const last = to === undefined ? openEnd : valueIn(to, field);
    const every = step === undefined ? 1 : Number(step);
    if (first === undefined || last === undefined || every === 0)
      return `"${item}" is outside ${field.min}–${field.max}`;
    if (last < first) return `"${item}" ends before it begins`;
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

function valueIn(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named >= 0) return named + (field.names === MONTHS ? 1 : 0);
  if (!/^[0-9]{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.min && value <= field.max ? value : undefined;
}
