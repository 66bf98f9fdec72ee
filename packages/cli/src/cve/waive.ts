import { resolve } from 'node:path';
import { addWaiver, currentWaivers, newWaiver, readWaivers } from '@plinth/advisory';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';
import { printableData } from './printable-data.ts';
import { waiversTable } from './show-rollout.ts';

export interface WaiveOptions extends KeyFolderOptions {
  readonly in: string;
  readonly reason?: string | undefined;
  readonly until?: string | undefined;
  readonly author?: string | undefined;
}

/**
 * waive signs a waiver of one identifier's target into the folder of the watch; without an identifier it lists what is
 * waived. @throws cli/usage, advisory/waiver-invalid, trust/…, host/io
 */
export async function waive(
  id: string | undefined,
  options: WaiveOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const now = new Date();
  const folder = resolve(options.in);
  const { reason, until, author } = options;
  let waiver: ReturnType<typeof newWaiver> | undefined;
  if (id !== undefined) {
    if (reason === undefined || until === undefined || author === undefined)
      throw usageError('--reason, --until and --author are missing', 'A waiver needs all three of them.');
    waiver = newWaiver({ id, reason, until, author }, now);
  } else if (reason !== undefined || until !== undefined || author !== undefined) {
    throw usageError('the identifier is missing', 'Write it as in "plinth cve waive CVE-2026-35189".');
  }
  const keys = await openKeys(options, context);
  if (waiver) await addWaiver(folder, waiver, keys.signers.release);
  const { values, problems } = await readWaivers(folder, keys.certificates('release'));
  const waivers = currentWaivers(values, now);
  return {
    data: { waivers, problems },
    view: [
      waiversTable(printableData(waivers)),
      ...(problems.length === 0 ? [] : [plainText(['Not believed:', ...problems].join('\n  '))]),
    ],
    names: waivers.filter(({ state }) => state === 'active').map((each) => each.id),
  };
}
