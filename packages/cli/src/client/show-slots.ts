import { BootState, GetSlotsResponseSchema, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';

const bootStates: Readonly<Record<BootState, string>> = {
  [BootState.UNSPECIFIED]: '<unknown>',
  [BootState.GOOD]: 'good',
  [BootState.TRIAL]: 'trial',
  [BootState.BAD]: 'bad',
};

/** showSlots asks a node for its slots and boot entries. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showSlots(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getSlots());
  const slots = table(
    [
      { header: 'SLOT', value: (slot) => slot.name },
      { header: 'VERSION', value: (slot) => slot.version },
      { header: 'ROLE', value: (slot) => slot.role || (slot.booted ? 'booted' : '') },
      { header: 'HEALTH', value: (slot) => printable(slot.health) },
      { header: 'PROTECTED', value: (slot) => (slot.writeProtected ? 'yes' : 'no') },
      {
        header: 'SIZE',
        value: (slot) => formatBytes(slot.partitions.reduce((sum, each) => sum + Number(each.sizeBytes), 0)),
        align: 'right',
      },
      { header: 'ROOT-HASH', value: (slot) => slot.rootHash, wide: true },
      {
        header: 'PARTITIONS',
        value: (slot) => slot.partitions.map(({ device, label }) => `${device}=${label}`).join(' '),
        wide: true,
      },
    ],
    answer.slots,
    'The disk has no slots.',
  );
  const entries = table(
    [
      { header: 'ENTRY', value: (entry) => entry.file },
      { header: 'VERSION', value: (entry) => entry.version },
      { header: 'STATE', value: (entry) => bootStates[entry.state] ?? '<unknown>' },
      { header: 'TRIES', value: (entry) => triesText(entry.state, entry.triesLeft, entry.triesDone) },
      { header: 'BOOTED', value: (entry) => (entry.booted ? 'yes' : 'no') },
    ],
    answer.bootEntries,
    'There is no boot entry.',
  );
  return {
    data: messageData(GetSlotsResponseSchema, answer),
    view: [
      slots,
      answer.espReadable ? entries : plainText('Boot entries: <unknown>, the ESP cannot be read.'),
      ...(answer.whyNoUpdate.length > 0
        ? [facts(answer.whyNoUpdate.map((why) => ['why no update', printable(why)] as const))]
        : []),
    ],
  };
}

function triesText(state: BootState, left: number, done: number): string {
  return state === BootState.GOOD ? '' : `${left} left, ${done} done`;
}
