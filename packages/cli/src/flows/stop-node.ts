import { destroyMachine, findMachine, type StopOutcome, stopMachine } from '@plinth/local';
import type { CommandContext } from '../framework/context.ts';

export interface StopNodeOptions {
  readonly graceMs?: number;
  /** Remove its disk as well; then there is no reason to wait for an orderly end. */
  readonly wipe: boolean;
}

/** stopNode ends a machine, and removes it where asked to. @throws vm/not-found, host/locked */
export async function stopNode(
  name: string,
  { graceMs, wipe }: StopNodeOptions,
  { progress }: CommandContext,
): Promise<StopOutcome | 'removed'> {
  await findMachine(name);
  if (wipe) {
    await progress.step(`Remove machine "${name}"`, () => destroyMachine(name));
    return 'removed';
  }
  return progress.step(`Stop machine "${name}"`, () =>
    stopMachine(name, graceMs === undefined ? {} : { graceMs }),
  );
}
