import { GetMachineResponseSchema, machineActKindName, machineActStateName, messageData } from '@plinth/api';
import type { EndedMachine } from '../flows/end-machine.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatDuration } from '../output/units.ts';
import { askNode } from './ask-node.ts';
import { isoTime } from './iso-time.ts';
import type { NodeOptions } from './node-options.ts';

/** showMachine asks a node for the act on its machine. @throws cli/context-missing, api/… */
export async function showMachine(
  options: Pick<NodeOptions, 'context' | 'timeout'>,
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.machine.get());
  const { act } = answer;
  const rows: [string, string][] = act
    ? [
        ['act', machineActKindName(act.kind)],
        ['state', machineActStateName(act.state)],
        ['asked by', printable(act.askedBy)],
        ['asked at', isoTime(act.askedAt)],
        ['reason', printable(act.reason) || '<none>'],
        ...optionalRow('overridden', act.overridden),
        ...optionalRow('now', act.note),
        ...optionalRow('failure', act.failure?.message ?? ''),
      ]
    : [['act', '<none>']];
  return {
    data: messageData(GetMachineResponseSchema, answer),
    view: [facts([...rows, ['services', answer.restartableServices.map(printable).join(', ')]])],
  };
}

/** showReboot says how a reboot went. */
export function showReboot(ended: EndedMachine): CommandResult {
  const { node, awayMs, settledMs, health } = ended;
  if (awayMs === undefined || settledMs === undefined)
    return {
      data: ended,
      view: [
        plainText(`Node "${node}" reboots.`),
        nextCommands([['plinth get boot', 'how its last boot ended, once it is back']]),
      ],
    };
  return {
    data: ended,
    view: [
      plainText(`Node "${node}" is back.`),
      facts([
        ['away', formatDuration(awayMs)],
        ['until healthy', formatDuration(settledMs)],
        ['health', health ?? 'unknown'],
      ]),
    ],
  };
}

/** showReset says what has become of the node, and how it is trusted again. */
export function showReset(ended: EndedMachine): CommandResult {
  const { node, newIdentity, configIsLost } = ended;
  const state =
    newIdentity === undefined
      ? 'wipes its data and comes back as a new node'
      : newIdentity
        ? 'is back as a new node'
        : 'came back as it was: nothing was wiped';
  const config = configIsLost
    ? ['Its config is lost with /var: it takes the one it is provisioned with, or waits for one.']
    : [];
  return {
    data: ended,
    ...(newIdentity === false && { exitCode: 1 as const }),
    view: [
      plainText([`Node "${node}" ${state}.`, ...config].join('\n')),
      nextCommands([['plinth config add', 'trust its new identity: its console shows the fingerprint']]),
    ],
  };
}

function optionalRow(label: string, value: string): [string, string][] {
  return value === '' ? [] : [[label, printable(value)]];
}
