import {
  type GetVarKeysResponse,
  GetVarKeysResponseSchema,
  messageData,
  RecoveryKeyState,
  VarKeyKind,
  type VarKeySlot,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { isoTime } from './iso-time.ts';

const KINDS: Readonly<Record<VarKeyKind, string>> = {
  [VarKeyKind.UNSPECIFIED]: '<unknown>',
  [VarKeyKind.TPM2]: 'TPM',
  [VarKeyKind.RECOVERY]: 'recovery key',
  [VarKeyKind.OTHER]: 'something that is not of Plinth',
};

/** showVar asks a node what opens its /var. @throws cli/context-missing, api/… */
export async function showVar(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.varKey.get());
  const { encrypted, open, slots } = answer;
  return {
    data: messageData(GetVarKeysResponseSchema, answer),
    view: [
      facts([
        ['encrypted', encrypted ? 'yes, LUKS2' : 'no'],
        ...(encrypted
          ? ([
              ['open', open ? 'yes' : 'NO: the node has another /var, see "plinth health"'],
              ['volume', printable(answer.volumeId) || '<unknown>'],
              ['recovery key', recoveryText(answer)],
              ['in the cluster', escrowText(answer)],
            ] satisfies [string, string][])
          : []),
      ]),
      ...(encrypted ? [slotTable(slots)] : []),
    ],
  };
}

/** slotTable lists what opens /var. */
export function slotTable(slots: readonly VarKeySlot[]) {
  return table(
    [
      { header: 'SLOT', value: ({ slot }) => String(slot), align: 'right' },
      { header: 'OPENED BY', value: ({ kind }) => KINDS[kind] ?? '<unknown>' },
      { header: 'IN BOOTS WITH', value: bootsOf },
    ],
    slots,
  );
}

function bootsOf({ kind, signedPcrs, literalPcrs }: VarKeySlot): string {
  if (kind !== VarKeyKind.TPM2) return 'any';
  const words = [
    ...(signedPcrs.length > 0 ? [`a value of PCR ${signedPcrs.join(', ')} that the release signs`] : []),
    ...(literalPcrs.length > 0 ? [`one value of PCR ${literalPcrs.join(', ')}`] : []),
  ];
  return words.join('; ') || 'any';
}

/** Where an administrator of the cluster finds the key; that it is there is what the node noted when it brought it. */
function escrowText({ escrow, recovery, volumeId }: GetVarKeysResponse): string {
  if (escrow)
    return [
      `Secret ${printable(escrow.place)}, at ${isoTime(escrow.takenAt)}`,
      ...(escrow.volumeId === volumeId ? [] : [`of another volume: ${printable(escrow.volumeId)}`]),
    ].join(', ');
  return recovery === RecoveryKeyState.KEPT
    ? 'not yet; a member of a cluster brings it there'
    : 'not brought there by this node';
}

function recoveryText({ recovery, takenAt, takenBy }: GetVarKeysResponse): string {
  if (recovery === RecoveryKeyState.KEPT) return 'NOT TAKEN YET: "plinth var recovery-key --recipient age1…"';
  if (recovery === RecoveryKeyState.TAKEN) return `taken by ${printable(takenBy)} at ${isoTime(takenAt)}`;
  return recovery === RecoveryKeyState.NONE ? 'none; the next start makes one' : '<unknown>';
}
