import type { LogEntry, NodeClient } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { jsonLine, printable, printableLines } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { priorities } from './log-options.ts';
import type { OnNodesOptions } from './many-nodes.ts';
import { parseTime } from './parse-time.ts';
import { writeNodeStream } from './stream-nodes.ts';

/** What of a log is wanted. */
export interface LogOptions extends OnNodesOptions {
  readonly follow: boolean;
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** A number, or "all". */
  readonly lines: string | undefined;
  readonly boot: string | undefined;
  readonly priority: (typeof priorities)[number] | undefined;
  readonly grep: string | undefined;
}

/** Whose log. */
export interface LogSource {
  /** A unit, or "NAMESPACE/POD", or "NAMESPACE/POD/CONTAINER": no unit has a slash in its name. */
  readonly name?: string | undefined;
  readonly previous?: boolean;
  readonly kernel?: boolean;
}

type Request = Parameters<NodeClient['logs']['read']>[0];

const DEFAULT_LINES = 100;

/** showLogs writes entries as nodes send them. @throws cli/usage, cli/context-missing, api/…, logs/… */
export function showLogs(
  options: LogOptions,
  source: LogSource,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const request = logRequest(options, source, Date.now());
  return writeNodeStream(options, context, {
    open: (node) => node.logs.read(request),
    render: (entries, node, many) =>
      context.format === 'json'
        ? entries.map((entry) => jsonLine({ node, ...entryData(entry) })).join('')
        : entries.map((entry) => renderEntry(entry, many ? node : undefined, context.style)).join(''),
  });
}

/** logRequest is the call that options mean. Without a time or a number it is the last 100 lines; of the kernel all. @throws cli/usage */
function logRequest(options: LogOptions, source: LogSource, nowMs: number): Request {
  const { follow, since, until, boot, priority, grep = '' } = options;
  const lines = options.lines ?? (since === undefined && !source.kernel ? String(DEFAULT_LINES) : 'all');
  return {
    follow,
    grep,
    source: apiSource(source),
    ...(since !== undefined && { since: parseTime(since, '--since', nowMs) }),
    ...(until !== undefined && { until: parseTime(until, '--until', nowMs) }),
    ...(lines !== 'all' && { lines: wholeNumber(lines, '--lines', 0, 100_000) }),
    ...(boot !== undefined && { boot: wholeNumber(boot, '--boot', -10_000, 0) }),
    ...(priority !== undefined && { priority: priorities.indexOf(priority) }),
  };
}

function apiSource({ name, previous = false, kernel = false }: LogSource): NonNullable<Request['source']> {
  if (kernel) return { case: 'kernel', value: true };
  if (name?.includes('/')) {
    const [namespace = '', pod = '', container = '', ...more] = name.split('/');
    if (namespace === '' || pod === '' || more.length > 0)
      throw usageError(
        `value of SOURCE is "${name}", expected a unit, NAMESPACE/POD or NAMESPACE/POD/CONTAINER`,
      );
    return { case: 'container', value: { namespace, pod, container, previous } };
  }
  if (previous) throw usageError('--previous is for containers, expected NAMESPACE/POD with it');
  if (name === undefined) return { case: undefined };
  // As systemctl does: a name without a kind is a service.
  return { case: 'unit', value: /\.[a-z]+$|[*?[]/.test(name) ? name : `${name}.service` };
}

/** renderEntry is an entry as text: time, node where there are several, writer, message. Further lines are set in. */
function renderEntry(entry: LogEntry, node: string | undefined, style: Style): string {
  const { unit, identifier, priority = 6 } = entry;
  const writer = printable(unit.replace(/\.service$/, '') || identifier || 'unknown');
  const mark = priority <= 3 ? style.bad : priority === 4 ? style.doubtful : (text: string) => text;
  const head = [style.faint(timeText(entry)), ...(node === undefined ? [] : [style.active(printable(node))])];
  const [first = '', ...more] = printableLines(entry.message.replace(/\n+$/, ''));
  const cut = entry.cutBytes > 0n ? style.faint(` [${entry.cutBytes} bytes more]`) : '';
  const lines = [
    `${head.join(' ')} ${style.strong(writer)}: ${mark(first)}`,
    ...more.map((line) => `    ${mark(line)}`),
  ];
  return `${lines.join('\n')}${cut}\n`;
}

/** entryData is an entry as plain data, the message as text. */
function entryData(entry: LogEntry) {
  const { unit, identifier, pid, priority, message, stderr, cutBytes } = entry;
  return {
    time: timeText(entry),
    unit,
    identifier,
    pid,
    priority: priority ?? null,
    message,
    stderr,
    cutBytes: Number(cutBytes),
  };
}

/** timeText is RFC 3339 in UTC, to the microsecond. */
export function timeText({ time }: Pick<LogEntry, 'time'>): string {
  if (!time) return '';
  const date = new Date(Number(time.seconds) * 1000);
  if (Number.isNaN(date.getTime())) return '';
  const micros = String(Math.floor(time.nanos / 1000)).padStart(6, '0');
  return `${date.toISOString().slice(0, 19)}.${micros}Z`;
}

function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw usageError(`value of ${option} is "${text}", expected a whole number from ${min} to ${max}`);
  return value;
}
