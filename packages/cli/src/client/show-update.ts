import {
  BootState,
  bootStateName,
  type CheckUpdateResponse,
  CheckUpdateResponseSchema,
  type FallBack,
  GetUpdateResponseSchema,
  type HealthContract,
  HealthContractState,
  messageData,
  type SystemVersion,
  type UpdateChoice,
  UpdatePhase,
  updatePhaseName,
} from '@plinth/api';
import type { UpgradedNode } from '../flows/upgrade-node.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { failureText } from './follow-update.ts';
import { isoTime } from './iso-time.ts';
import { startWayText } from './start-way.ts';
import { checksTable } from './verdicts.ts';

/** showUpdate asks a node for all about its updates. @throws cli/context-missing, api/… */
export async function showUpdate(
  options: AskOptions & { readonly journal: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.update.get());
  const { stage, contract, lastFallBack } = answer;
  const versions = [
    { role: 'booted', of: answer.booted },
    { role: 'staged', of: answer.staged },
    { role: 'rollback', of: answer.rollback },
  ];
  const rows: [string, string][] = [
    ['phase', updatePhaseName(answer.phase)],
    ['channel', printable(answer.channel) || '<none>'],
    ['sources', answer.sources.map(printable).join(', ') || '<none>'],
    ...nextRows(answer.next),
    ...(answer.staged && answer.startWay
      ? [
          ['start', `${printable(answer.staged.version)} ${startWayText(answer.startWay)}`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(answer.firmwareStarted === ''
      ? []
      : [
          ['measured boot', `of ${printable(answer.firmwareStarted)}; a soft-reboot went on from it`] as [
            string,
            string,
          ],
        ]),
    ['write-protected', answer.writeProtectedSlots.map((slot) => `slot ${slot}`).join(', ') || '<none>'],
    ...(answer.volatileBecause === ''
      ? []
      : [['not remembered', printable(answer.volatileBecause)] as [string, string]]),
  ];
  return {
    data: messageData(GetUpdateResponseSchema, answer),
    view: [
      facts(rows),
      versionsTable(versions),
      ...(stage && stage.phase !== UpdatePhase.STAGED
        ? [
            plainText(
              `Staging of ${printable(stage.version) || 'the next version'}: ${updatePhaseName(stage.phase)}${
                stage.failure ? `, ${printable(failureText(stage.failure))}` : `, ${printable(stage.note)}`
              }`,
            ),
          ]
        : []),
      ...(answer.blocked.length > 0
        ? [
            table(
              [
                { header: 'BLOCKED', value: (each) => each.version },
                { header: 'SINCE', value: (each) => isoTime(each.since) },
                { header: 'WHY', value: (each) => (each.reason ? failureText(each.reason) : '<unknown>') },
              ],
              answer.blocked,
            ),
          ]
        : []),
      ...(contract ? contractBlocks(contract) : []),
      ...(lastFallBack ? fallBackBlocks(lastFallBack, options.journal) : []),
    ],
  };
}

function versionsTable(rows: readonly { role: string; of: SystemVersion | undefined }[]): Block {
  const state = (version: SystemVersion): string => {
    if (version.state === BootState.UNSPECIFIED) return 'not bootable yet';
    const tries = version.state === BootState.GOOD ? '' : `, ${version.triesLeft} left`;
    return `${bootStateName(version.state)}${tries}`;
  };
  return table(
    [
      { header: 'ROLE', value: ({ role }) => role },
      { header: 'VERSION', value: ({ of }) => of?.version || '<none>' },
      { header: 'SLOT', value: ({ of }) => of?.slot ?? '' },
      { header: 'STATE', value: ({ of }) => (of ? state(of) : '') },
      { header: 'ROOT-HASH', value: ({ of }) => of?.rootHash ?? '', wide: true },
    ],
    rows,
  );
}

/** nextRows says what comes next, or why nothing does. */
function nextRows(next: UpdateChoice | undefined): [string, string][] {
  if (!next) return [['next', '<unknown>']];
  return [
    ['next', printable(next.version) || '<none>'],
    ...next.reasons.map((reason): [string, string] => ['because', printable(failureText(reason))]),
    ...(next.newest === '' ? [] : [['newest', printable(next.newest)] as [string, string]]),
    ['checked', next.checkedAt ? isoTime(next.checkedAt) : 'never'],
    ...(next.checkFailure
      ? [['check failed', printable(failureText(next.checkFailure))] as [string, string]]
      : []),
  ];
}

const contractStates: Readonly<Record<HealthContractState, string>> = {
  [HealthContractState.UNSPECIFIED]: '<unknown>',
  [HealthContractState.NOT_ON_TRIAL]: 'not on trial',
  [HealthContractState.RUNNING]: 'running',
  [HealthContractState.HELD]: 'held',
  [HealthContractState.BROKEN]: 'broken',
};

function contractBlocks({ version, state, deadline, checks }: HealthContract): Block[] {
  const within = deadline ? ` within ${formatDuration(durationMs(deadline))}` : '';
  return [
    plainText(`Health contract of ${printable(version)}${within}: ${contractStates[state] ?? '<unknown>'}.`),
    ...(checks.length > 0 ? [checksTable(checks)] : []),
  ];
}

function fallBackBlocks(fall: FallBack, journal: boolean): Block[] {
  const { fromVersion, toVersion, reason, foundAt, tries, end, boots } = fall;
  const rows: [string, string][] = [
    ['fell back', `from ${printable(fromVersion)} to ${printable(toVersion)}, found at ${isoTime(foundAt)}`],
    ['because', reason ? printable(failureText(reason)) : '<unknown>'],
    ['tries', String(tries)],
    ...(end?.evidence ?? []).map((text): [string, string] => ['seen', printable(text)]),
    ['boots with a journal', String(boots.length)],
  ];
  const lines = boots.at(-1)?.journal ?? [];
  if (journal && lines.length > 0) return [facts(rows), plainText(lines.map(printable).join('\n'))];
  const more: [string, string][] =
    lines.length > 0 ? [['plinth get update --journal', 'with the last lines of the failed boot']] : [];
  return [facts(rows), ...(more.length > 0 ? [nextCommands(more)] : [])];
}

/** showChoice says what the repository offers. */
export function showChoice(answer: CheckUpdateResponse): CommandResult {
  return { data: messageData(CheckUpdateResponseSchema, answer), view: [facts(nextRows(answer.next))] };
}

/** showUpgraded says how it went on each node. */
export function showUpgraded(nodes: readonly UpgradedNode[]): CommandResult {
  const [first] = nodes;
  const only = nodes.length === 1 ? first : undefined;
  return { data: only ?? { nodes }, view: only ? oneUpgraded(only) : [manyUpgraded(nodes)] };
}

function manyUpgraded(nodes: readonly UpgradedNode[]): Block {
  const time = (ms: number | undefined) => (ms === undefined ? '' : formatDuration(ms));
  return table(
    [
      { header: 'NODE', value: ({ node }) => node },
      { header: 'FROM', value: ({ from }) => from },
      { header: 'TO', value: ({ to }) => to },
      { header: 'PHASE', value: ({ phase }) => phase },
      { header: 'AWAY', value: ({ awayMs }) => time(awayMs), align: 'right' },
    ],
    nodes,
  );
}

function oneUpgraded({ node, from, to, phase, ...rest }: UpgradedNode): Block[] {
  if (phase === 'unchanged') return [plainText(`Node "${node}" runs ${to} already.`)];
  const { fetchedBytes, copiedBytes, savedBytes, awayMs, settledMs, checks } = rest;
  const size = (label: string, bytes: number | undefined): [string, string][] =>
    bytes === undefined ? [] : [[label, formatBytes(bytes)]];
  const time = (label: string, ms: number | undefined): [string, string][] =>
    ms === undefined ? [] : [[label, formatDuration(ms)]];
  const rows = [
    ...size('fetched', fetchedBytes),
    ...size('copied', copiedBytes),
    ...size('saved', savedBytes),
    ...time('away', awayMs),
    ...time('until proven', settledMs),
    ...(checks ? [['checks passed', checks.join(', ') || '<none>'] as [string, string]] : []),
  ];
  const staged = phase === 'staged';
  return [
    plainText(
      staged ? `Version ${to} is staged on node "${node}".` : `Node "${node}" runs ${to}, before ${from}.`,
    ),
    ...(rows.length > 0 ? [facts(rows)] : []),
    ...(staged ? [nextCommands([['plinth update activate', 'reboot into it']])] : []),
  ];
}
