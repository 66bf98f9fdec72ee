import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import type { OnNodesOptions } from './many-nodes.ts';
import { parseTime } from './parse-time.ts';
import { writeNodeStream } from './stream-nodes.ts';

export interface AuditLogOptions extends OnNodesOptions {
  readonly follow: boolean;
  readonly since: string | undefined;
}

/** showAuditLog writes the calls of one or several nodes, one a line. @throws cli/usage, cli/context-missing, api/… */
export function showAuditLog(
  options: AuditLogOptions,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const { follow, since } = options;
  const request = {
    follow,
    ...(since !== undefined && { since: parseTime(since, '--since', Date.now()) }),
  };
  return writeNodeStream(options, context, {
    open: (node) => node.audit.read(request),
    render: (lines, node, many) =>
      lines
        .map((line) =>
          context.format === 'json'
            ? jsonOf(line, node)
            : renderLine(line, many ? node : undefined, context.style),
        )
        .join(''),
  });
}

/** The stored line is JSON already; the node's name goes in front of its fields. */
function jsonOf(line: string, node: string): string {
  const entry = parse(line);
  return `${JSON.stringify(entry ? { node, ...entry } : { node, unreadable: line })}\n`;
}

/** renderLine is one line of the log for people: time, who, what, how it went. */
export function renderLine(line: string, node: string | undefined, style: Style): string {
  const entry = parse(line);
  if (!entry) return `${style.bad('not an audit line')}: ${printable(line)}\n`;
  const text = (key: string) => printable(String(entry[key] ?? ''));
  const result = text('result');
  const mark = result === 'ok' || result === '' ? style.faint : style.bad;
  const parts = [
    style.faint(text('time')),
    ...(node === undefined ? [] : [style.active(printable(node))]),
    text('caller') || '-',
    style.strong(text('method') || text('event')),
    ...(text('arguments') === '' ? [] : [text('arguments')]),
    mark(
      text('event') === 'api.begin' ? 'begins' : result === '' ? '' : `${result} ${text('durationMs')} ms`,
    ),
    ...(text('reason') === '' ? [] : [text('reason')]),
  ];
  return `${parts.filter((part) => part !== '').join(' ')}\n`;
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
