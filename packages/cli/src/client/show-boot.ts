import { type BootEnd, bootEndKindName, GetBootReportResponseSchema, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { isoTime } from './iso-time.ts';

/** showBoot asks a node where the time of its boot went. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showBoot(
  options: AskOptions & { readonly units: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getBootReport());
  const totalMs = answer.phases.reduce((sum, { duration }) => sum + durationMs(duration), 0);
  const phases = table(
    [
      { header: 'PHASE', value: (phase) => phase.name },
      { header: 'TIME', value: (phase) => formatDuration(durationMs(phase.duration)), align: 'right' },
    ],
    answer.phases,
    'The node does not know its boot phases.',
  );
  const units = table(
    [
      { header: 'UNIT', value: (unit) => unit.unit },
      { header: 'TIME', value: (unit) => formatDuration(durationMs(unit.duration)), align: 'right' },
    ],
    answer.slowestUnits,
  );
  return {
    data: messageData(GetBootReportResponseSchema, answer),
    view: [
      phases,
      ...(options.units ? [units] : []),
      facts([
        ['sum', `${formatDuration(totalMs)}${answer.finished ? '' : ', still booting'}`],
        ...lastEndRows(answer.lastEnd),
        ['crash records', answer.crashRecords.join(', ') || '<none>'],
        ...answer.notObserved.map((part): [string, string] => ['not observed', printable(part)]),
      ]),
    ],
  };
}

/** How the boot before this one ended, with what tells so; a node that is older than the question does not know. */
function lastEndRows(end: BootEnd | undefined): [string, string][] {
  if (!end) return [['last boot ended', '<unknown>']];
  const asked = end.askedAt ? [`by ${printable(end.askedBy)} at ${isoTime(end.askedAt)}`] : [];
  return [
    ['last boot ended', [bootEndKindName(end.kind), ...asked].join(', ')],
    ...(end.reason === '' ? [] : [['reason', printable(end.reason)] as [string, string]]),
    ...(end.overridden === '' ? [] : [['overridden', printable(end.overridden)] as [string, string]]),
    ...end.evidence.map((text): [string, string] => ['seen', printable(text)]),
  ];
}
