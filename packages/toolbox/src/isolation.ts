import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import { type Isolation, sandboxCommand } from './sandbox.ts';

/**
 * findIsolation tries what this machine allows, by running `true` inside: real root first (a container's root may
 * lack the right to mount), then a user namespace.
 * @throws toolbox/no-isolation with what the kernel said
 */
export async function findIsolation(root: string, signal?: AbortSignal): Promise<Isolation> {
  const candidates: Isolation[] = process.getuid?.() === 0 ? ['root', 'user-namespace'] : ['user-namespace'];
  const refusals: string[] = [];
  for (const isolation of candidates) {
    const { program, args, env } = sandboxCommand({ root, isolation }, 'run', '/usr/bin/true', []);
    try {
      await run(program, args, { env, signal });
      return isolation;
    } catch (reason) {
      if (!(reason instanceof PlinthError) || reason.code !== 'host/command-failed') throw reason;
      refusals.push(`${isolation}: ${reason.message.split('\n').at(-1)?.trim()}`);
    }
  }
  throw new PlinthError(
    'toolbox/no-isolation',
    `Cannot run tools apart from this machine: ${refusals.join('; ')}, expected the kernel to allow it`,
  );
}
