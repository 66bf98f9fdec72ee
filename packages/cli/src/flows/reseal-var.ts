import { readFile } from 'node:fs/promises';
import { messageData, ResealResponseSchema } from '@plinth/api';
import { ioError } from '@plinth/host';
import { askNode } from '../client/ask-node.ts';
import { slotTable } from '../client/show-var.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands } from '../output/blocks.ts';

export interface ResealOptions {
  /** Holds the recovery key. */
  readonly file: string;
  readonly context: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

/** resealVar seals a node's /var to the TPM it has now. @throws host/io, cli/context-missing, var-key/…, api/… */
export async function resealVar(options: ResealOptions, context: CommandContext): Promise<CommandResult> {
  const text = await readFile(options.file, 'utf8').catch((reason) => {
    throw ioError(reason, `read ${options.file}`);
  });
  const answer = await askNode(options, context, (node) =>
    node.varKey.reseal(text.trim(), options.timeout * 1000),
  );
  return {
    data: messageData(ResealResponseSchema, answer),
    view: [slotTable(answer.slots), nextCommands([['plinth reboot --wait', 'it opens in the next start']])],
  };
}
