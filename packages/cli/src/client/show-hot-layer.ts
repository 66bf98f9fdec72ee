import {
  type GetHotLayerResponse,
  GetHotLayerResponseSchema,
  type HotLayer,
  HotLayerPhase,
  messageData,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { isoTime } from './iso-time.ts';

const PHASES: Readonly<Record<HotLayerPhase, string>> = {
  [HotLayerPhase.UNSPECIFIED]: '<unknown>',
  [HotLayerPhase.NONE]: 'none',
  [HotLayerPhase.ON_TRIAL]: 'on trial',
  [HotLayerPhase.ACTIVE]: 'active',
  [HotLayerPhase.RETIRING]: 'retiring',
  [HotLayerPhase.DORMANT]: 'dormant',
};

/** hotLayerPhaseName says a phase in words. */
export function hotLayerPhaseName(phase: HotLayerPhase): string {
  return PHASES[phase] ?? '<unknown>';
}

/** showHotLayer asks a node for its hot layer. @throws cli/context-missing, api/… */
export async function showHotLayer(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  return hotLayerResult(await askNode(options, context, (node) => node.hotLayer.get()));
}

/** hotLayerResult is the answer of a node for people and programs. */
export function hotLayerResult(answer: GetHotLayerResponse): CommandResult {
  const { phase, layer, staged, report, failure, note, busy } = answer;
  const isStagedElsewhere = staged !== undefined && staged.serial !== layer?.serial;
  const rows: [string, string][] = [
    ['phase', `${hotLayerPhaseName(phase)}${busy ? ', at work' : ''}`],
    ...(layer ? layerRows(layer) : []),
    ...(isStagedElsewhere
      ? [['staged', `serial ${staged.serial} for ${printable(staged.baseVersion)}`] as [string, string]]
      : []),
    ...(note === '' ? [] : [['note', printable(note)] as [string, string]]),
    ...(failure
      ? ([
          ['given up', `serial ${failure.serial} at ${isoTime(failure.at)}`],
          ['because', `${printable(failure.message)} (${printable(failure.code)})`],
        ] satisfies [string, string][])
      : []),
    ...(report
      ? ([
          [
            'looked at',
            `${report.seen} processes at ${isoTime(report.endedAt)}${report.hidden > 0 ? `; ${report.hidden} hidden` : ''}`,
          ],
          ['restarted', report.restarted.map(printable).join(', ') || '<none>'],
          ...(report.failed.length > 0 ? [['not restarted', report.failed.map(printable).join('; ')]] : []),
        ] as [string, string][])
      : []),
  ];
  return {
    data: messageData(GetHotLayerResponseSchema, answer),
    view: [facts(rows), ...(layer ? [fixesTable(layer)] : []), ...remainingBlocks(answer)],
  };
}

function layerRows({
  serial,
  baseVersion,
  baseRootHash,
  advisories,
  replacedPaths,
  sizeBytes,
}: HotLayer): [string, string][] {
  return [
    ['serial', String(serial)],
    ['base', `${printable(baseVersion)} (${printable(baseRootHash).slice(0, 16)}…)`],
    ['advisories', advisories.map(printable).join(', ') || '<not said>'],
    ['replaced files', `${replacedPaths.length} (layer of ${formatBytes(Number(sizeBytes))})`],
  ];
}

function fixesTable({ fixes }: HotLayer): Block {
  return table(
    [
      { header: 'PACKAGE', value: (fix) => fix.package },
      { header: 'FROM', value: (fix) => fix.fromVersion },
      { header: 'TO', value: (fix) => fix.toVersion },
    ],
    fixes,
  );
}

function remainingBlocks({ report }: GetHotLayerResponse): Block[] {
  if (!report || report.remaining.length === 0) return [];
  return [
    plainText('Processes that still run replaced code:'),
    table(
      [
        { header: 'PROCESS', value: ({ process, pid }) => `${process} (${pid})` },
        { header: 'UNIT', value: ({ unit, podUid }) => unit || (podUid ? `pod ${podUid}` : '<none>') },
        { header: 'WHY', value: ({ reason }) => reason },
        { header: 'FILES', value: ({ paths }) => paths.join(' '), wide: true },
      ],
      report.remaining,
    ),
  ];
}
