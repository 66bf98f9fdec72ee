import { ListUnsignedResponseSchema, messageData, type UnsignedProcess } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { emptyText, notObservedBlock, ownerCell } from './system-cells.ts';

/** showUnsigned asks a node what it runs that no signed volume holds. @throws cli/context-missing, api/… */
export async function showUnsigned(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.unsigned());
  const { processes, lookedAt, level, notObserved } = answer;
  return {
    data: messageData(ListUnsignedResponseSchema, answer),
    names: processes.map(({ pid }) => String(pid)),
    view: [
      processes.length === 0
        ? plainText(emptyText(notObserved, 'All that runs is of signed volumes.'))
        : table(
            [
              { header: 'PID', value: ({ pid }) => String(pid), align: 'right' },
              { header: 'NAME', value: ({ name }) => printable(name) },
              { header: 'OWNER', value: (process) => printable(ownerCell(process)) },
              { header: 'FILES', value: ({ files }) => String(files.length), align: 'right' },
              { header: 'CODE', value: describeCode },
              { header: 'ALL FILES', value: ({ files }) => printable(files.join(' ')), wide: true },
            ],
            processes,
          ),
      facts([
        ['level', level === '' ? '<unknown>' : level],
        ['processes', `${processes.length} of ${lookedAt} would be refused`],
      ]),
      ...notObservedBlock(notObserved),
    ],
  };
}

/** One file says which program it is; memory of no file is what no signature can ever cover. */
function describeCode({ files, writesCode }: UnsignedProcess): string {
  const words = [...files.slice(0, 1).map(printable), ...(writesCode ? ['writes its own code'] : [])];
  return words.join(', ');
}
