import type { Cron } from './cron.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The instants in [fromMs, toMs) at which a schedule of wall-clock times begins, in a time zone: a time that a clock change
 * leaves out begins at the first minute after the change, one that comes twice begins the first time only.
 */
export function* cronStarts(cron: Cron, timeZone: string, fromMs: number, toMs: number): Generator<number> {
  // A clock change can move a start past midnight, so the day before is looked at too; the filter drops what is too early.
  let date = Temporal.Instant.fromEpochMilliseconds(fromMs)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .subtract({ days: 1 });
  let lastMs = Number.NEGATIVE_INFINITY;
  for (let startOfDay = startOf(date, timeZone); startOfDay.epochMilliseconds < toMs; ) {
    const next = date.add({ days: 1 });
    const startOfNext = startOf(next, timeZone);
    if (cron.isDay(date.month, date.day, date.dayOfWeek % 7)) {
      const isPlainDay = startOfNext.epochMilliseconds - startOfDay.epochMilliseconds === DAY_MS;
      for (const minute of cron.minutesOfDay) {
        const startMs = isPlainDay
          ? startOfDay.epochMilliseconds + minute * MINUTE_MS
          : instantOf(date, minute, timeZone);
        // Several times of one gap begin together: once is enough.
        if (startMs >= fromMs && startMs < toMs && startMs > lastMs) yield startMs;
        lastMs = Math.max(lastMs, startMs);
      }
    }
    date = next;
    startOfDay = startOfNext;
  }
}

function startOf(date: Temporal.PlainDate, timeZone: string): Temporal.ZonedDateTime {
  return date.toZonedDateTime(timeZone);
}

function instantOf(date: Temporal.PlainDate, minuteOfDay: number, timeZone: string): number {
  const wall = date.toPlainDateTime({ hour: Math.floor(minuteOfDay / 60), minute: minuteOfDay % 60 });
  const zoned = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (zoned.toPlainDateTime().equals(wall)) return zoned.epochMilliseconds;
  // The time does not exist: `zoned` lies as far before the change as the clock jumps.
  return zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? zoned.epochMilliseconds;
}
