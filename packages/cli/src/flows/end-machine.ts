import { healthStateName, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { followGone, followReturn } from '../client/follow-machine.ts';
import type { MachineOptions } from '../client/machine-options.ts';
import { agree, agreeByName } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import { actRequest, movePods, withMachine } from './machine-act.ts';

/** What came of it; times are absent when nobody waited. */
export interface EndedMachine {
  readonly node: string;
  readonly awayMs?: number;
  readonly settledMs?: number;
  readonly health?: string;
  /** The node came back as another one. */
  readonly newIdentity?: boolean;
  readonly configIsLost?: boolean;
}

/** rebootNode reboots the node that is meant. @throws machine/…, api/…, cli/… */
export async function rebootNode(options: MachineOptions, context: CommandContext): Promise<EndedMachine> {
  return withMachine(options, context, async (node, name) => {
    await agree(`Reboot node "${name}"?`, options.yes, context);
    const { bootId } = await node.getIdentity();
    await ask(name, options, context, node, 'reboot');
    if (!options.wait) return { node: name };
    return context.progress.step(`Wait for node "${name}" to come back`, async (step) => {
      const follow = { name, node, signal: context.signal, timeoutMs: options.timeout * 1000 };
      const { awayMs, settledMs, health } = await followReturn(follow, bootId, step);
      return { node: name, awayMs, settledMs, health: healthStateName(health.state) };
    });
  });
}

/** shutDownNode powers the node off that is meant. @throws machine/…, api/…, cli/… */
export async function shutDownNode(options: MachineOptions, context: CommandContext): Promise<EndedMachine> {
  return withMachine(options, context, async (node, name) => {
    await agree(`Power off node "${name}"?`, options.yes, context);
    await ask(name, options, context, node, 'shutdown');
    if (!options.wait) return { node: name };
    return context.progress.step(`Wait for node "${name}" to end`, async () => {
      await followGone({ name, node, signal: context.signal, timeoutMs: options.timeout * 1000 });
      return { node: name };
    });
  });
}

export type ResetOptions = Pick<MachineOptions, 'reason' | 'override' | 'wait' | 'context' | 'timeout'> & {
  readonly confirm: string | undefined;
};

/** resetNode wipes the node that is meant. @throws cli/usage without its name; machine/…, api/… */
export async function resetNode(options: ResetOptions, context: CommandContext): Promise<EndedMachine> {
  return withMachine(options, context, async (node, name) => {
    const { nodeName, bootId } = await node.getIdentity();
    agreeByName(options.confirm, nodeName, `all data of node "${nodeName}" would be lost`);
    const { reason, override } = options;
    const { configIsLost } = await context.progress.step(`Ask node "${name}" to reset itself`, () =>
      node.machine.reset(nodeName, { reason: reason ?? '', override: override ?? '' }),
    );
    if (!options.wait) return { node: name, configIsLost };
    return context.progress.step(`Wait for node "${name}" to come back as a new one`, async (step) => {
      const follow = { name, node, signal: context.signal, timeoutMs: options.timeout * 1000 };
      try {
        await followReturn(follow, bootId, step);
      } catch (failure) {
        // Its identity lay on /var: another certificate is what success looks like.
        if (failure instanceof PlinthError && failure.code === 'api/identity-mismatch')
          return { node: name, newIdentity: true, configIsLost };
        throw failure;
      }
      return { node: name, newIdentity: false, configIsLost };
    });
  });
}

async function ask(
  name: string,
  options: MachineOptions,
  context: CommandContext,
  node: NodeClient,
  kind: 'reboot' | 'shutdown',
): Promise<void> {
  const words = kind === 'reboot' ? 'reboot' : 'power off';
  await context.progress.step(`Ask node "${name}" to ${words}`, async () => {
    await node.machine[kind](actRequest(options));
  });
  await movePods({ name, node, signal: context.signal }, options, context);
}
