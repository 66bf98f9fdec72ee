import type { NodeClient } from '@plinth/api';
import { chooseContext } from '../client/choose-context.ts';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { type FollowMachineOptions, followDrain } from '../client/follow-machine.ts';
import type { MachineOptions } from '../client/machine-options.ts';
import type { CommandContext } from '../framework/context.ts';

/** Bound on one question; a node that ends or starts may be silent for that long. */
export const CALL_TIMEOUT_MS = 15_000;

type ActOptions = Pick<MachineOptions, 'reason' | 'override' | 'drain' | 'drainTimeout' | 'force'>;

/**
 * withMachine works with the node of the context. Nothing is dialled before the first call, and Ctrl-C hangs nothing up: what
 * follows a node through its reboot says itself that the node goes on.
 * @throws cli/context-missing, cli/config-invalid, api/…, and what `work` throws
 */
export async function withMachine<T>(
  options: Pick<MachineOptions, 'context'>,
  context: CommandContext,
  work: (node: NodeClient, name: string) => Promise<T>,
): Promise<T> {
  const chosen = chooseContext(await readContexts(contextsPath(context.env)), options.context, context.env);
  using node = await connectTo(chosen.context, CALL_TIMEOUT_MS);
  return await work(node, chosen.name);
}

/** actRequest is what every act that ends the system of a node is asked with. */
export function actRequest({ reason, override, drain, drainTimeout, force }: ActOptions) {
  return {
    ...{ reason: reason ?? '', override: override ?? '' },
    drain: drain ? { timeoutMs: drainTimeout * 1000, evictUnmanaged: force } : undefined,
  };
}

/** movePods follows the drain that an act was asked with, if it was. @throws as followDrain */
export async function movePods(
  follow: Omit<FollowMachineOptions, 'timeoutMs'>,
  { drain, drainTimeout }: Pick<ActOptions, 'drain' | 'drainTimeout'>,
  context: CommandContext,
): Promise<void> {
  if (!drain) return;
  // What the node gives the pods, and time for it to say how it ended.
  const timeoutMs = drainTimeout * 1000 + 60_000;
  await context.progress.step(`Move the pods of node "${follow.name}" away`, (step) =>
    followDrain({ ...follow, timeoutMs }, step),
  );
}
