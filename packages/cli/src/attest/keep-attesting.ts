import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { renderBlocks } from '../output/blocks.ts';

/**
 * keepAttesting does round after round until Ctrl-C, and shows each that differs from the one before. A round that fails is
 * told, and the next one is tried all the same: an API server that is away says nothing about nodes.
 */
export async function keepAttesting(
  round: () => Promise<CommandResult>,
  everyMs: number,
  {
    signal,
    say,
    style,
    writeOut,
    format,
  }: Pick<CommandContext, 'signal' | 'say' | 'style' | 'writeOut' | 'format'>,
): Promise<undefined> {
  let before = '';
  while (!signal.aborted) {
    try {
      const { data, view } = await round();
      const now = JSON.stringify(data);
      if (now !== before)
        writeOut(format === 'json' ? `${now}\n` : renderBlocks(view, { wide: false, style }));
      before = now;
    } catch (reason) {
      if (signal.aborted) return;
      const { code, message } = PlinthError.from(reason, 'api/failed', 'Cannot attest the cluster');
      say(`${message} [${code}]`);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {}); // Ctrl-C is the usual end
  }
}
