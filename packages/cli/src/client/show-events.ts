import { EventKind, messageData, type WatchEventsResponse, WatchEventsResponseSchema } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { jsonLine, printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import type { OnNodesOptions } from './many-nodes.ts';
import { timeText } from './show-logs.ts';
import { writeNodeStream } from './stream-nodes.ts';

const KINDS: Partial<Record<EventKind, string>> = {
  [EventKind.UNIT]: 'unit',
  [EventKind.ACT]: 'act',
  [EventKind.HEALTH]: 'health',
  [EventKind.CONFIG]: 'config',
  [EventKind.NODE]: 'node',
};
const BAD = new Set(['failed', 'start-failed', 'degraded', 'out-of-memory', 'reverted']);
const GOOD = new Set(['started', 'recovered', 'done', 'confirmed']);

/** showEvents writes events of nodes until Ctrl-C. @throws cli/usage, cli/context-missing, api/… */
export function showEvents(
  options: OnNodesOptions & { readonly onlyNew: boolean },
  context: CommandContext,
): Promise<CommandResult | undefined> {
  return writeNodeStream(options, context, {
    open: (node) => node.logs.events({ onlyNew: options.onlyNew }),
    render: (answer, node, many) =>
      context.format === 'json'
        ? jsonLine({ node, ...eventData(answer) })
        : renderEvent(answer, many ? node : undefined, context.style),
  });
}

function eventData(answer: WatchEventsResponse): object {
  const data = messageData(WatchEventsResponseSchema, answer);
  return typeof data === 'object' && data !== null ? data : {};
}

/** renderEvent is an event as text: time, node where there are several, kind, subject, state, more; a gap before it is said. */
function renderEvent(answer: WatchEventsResponse, node: string | undefined, style: Style): string {
  const { event, missed } = answer;
  const gap =
    missed > 0n ? `${style.doubtful(`${missed} events missed: this client read too slowly`)}\n` : '';
  if (!event) return gap;
  const mark = BAD.has(event.state) ? style.bad : GOOD.has(event.state) ? style.good : (text: string) => text;
  const parts = [
    style.faint(timeText(event)),
    ...(node === undefined ? [] : [style.active(printable(node))]),
    (KINDS[event.kind] ?? 'unknown').padEnd(6),
    style.strong(printable(event.subject)),
    mark(printable(event.state)),
    printable(event.text),
  ];
  return `${gap}${parts.join(' ').trimEnd()}\n`;
}
