import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { ReadLogsRequest } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { JOURNAL_FIELDS } from './journal-export.ts';

/** How many entries can be asked for from the end. */
export const LINES_LIMIT = 100_000;
/** Names of units and their patterns, as systemd.unit(5) has them. */
const UNIT = /^[A-Za-z0-9:_.\\@*?[\]-]{1,255}$/;
const GREP_LIMIT_CHARS = 1024;
const BOOTS_LIMIT = 10_000;

/**
 * journalArguments gives the arguments of journalctl that print what is asked for, in the export format. Values never
 * stand alone, so none can be taken for an option.
 * @throws logs/request-invalid
 */
export function journalArguments(request: ReadLogsRequest): readonly string[] {
  const { source, since, until, lines, follow, boot, priority, grep } = request;
  const args = ['--quiet', '--no-pager', '--output=export', `--output-fields=${JOURNAL_FIELDS.join(',')}`];
  if (source.case === 'unit') {
    if (!UNIT.test(source.value)) throw invalid('unit', 'no name of a unit', 'one such as "kubelet.service"');
    args.push(`--unit=${source.value}`);
  }
  // --dmesg stands for the present boot where none is named.
  if (source.case === 'kernel') args.push('--dmesg');
  if (boot !== undefined) {
    if (boot > 0 || boot < -BOOTS_LIMIT)
      throw invalid('boot', `${boot}`, '0, or a negative number of boots back');
    args.push(`--boot=${boot}`);
  }
  if (since) args.push(`--since=@${seconds(since)}`);
  if (until) args.push(`--until=@${seconds(until)}`);
  if (priority !== undefined) {
    if (priority > 7) throw invalid('priority', `${priority}`, '0 to 7');
    args.push(`--priority=0..${priority}`);
  }
  checkGrep(grep);
  if (grep !== '') args.push(`--grep=${grep}`);
  checkLines(lines);
  if (follow) args.push('--follow', `--lines=${lines ?? 'all'}`);
  else if (lines !== undefined) args.push(`--lines=${lines}`);
  if (follow && until) throw invalid('until', 'a time to end at while it is followed', 'one of the two');
  return args;
}

/** Whether journalctl prints the newest entry first: it does when it looks for the last entries with a pattern. */
export function comesReversed({ grep, lines, follow }: ReadLogsRequest): boolean {
  return grep !== '' && lines !== undefined && !follow;
}

/** @throws logs/request-invalid */
export function checkLines(lines: number | undefined): void {
  if (lines !== undefined && lines > LINES_LIMIT)
    throw invalid('lines', `${lines}`, `at most ${LINES_LIMIT}`);
}

/** @throws logs/request-invalid */
export function checkGrep(grep: string): void {
  if (grep.length > GREP_LIMIT_CHARS || grep.includes('\0'))
    throw invalid('grep', 'too long', `a pattern of at most ${GREP_LIMIT_CHARS} characters`);
}

/** invalid is the error of a request that cannot be understood. */
export function invalid(field: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'logs/request-invalid',
    `Cannot read logs: ${field} is ${state}, expected ${expected}`,
  );
}

function seconds(time: Timestamp): string {
  const { seconds: whole, nanos } = time;
  if (whole < 0n || whole > 253_402_300_799n) throw invalid('a time', 'out of range', '1970 to 9999');
  return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`;
}
