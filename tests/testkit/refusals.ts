import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { ApiEndpoint, MachineStatus } from '@plinth/local';
import type { Owner } from './owner.ts';

/** By the kernel, and by the service manager and the message bus, which ask it themselves. */
export const REFUSAL = 'avc: +denied';

/**
 * Reads what SELinux refused on the machines of a test file: nothing of a node may need what it refuses, and what is refused
 * in vain hides what matters.
 */
export interface RefusalWatch {
  /** Who had a word with a machine by this owner can be asked for it at its end. */
  readonly owner: Owner;
  /** Brings what a running machine refused, over all its boots, to refusals.md of the report. */
  ask(machine: MachineStatus): Promise<void>;
  /** Throws an Error when something was refused that no test brought about. */
  verify(): void;
}

/** @param meant what tests of the file have refused on purpose; undefined: they do not say, and nothing is unexpected */
export function watchRefusals(
  owner: Owner,
  folder: string,
  meant: readonly RegExp[] | undefined,
): RefusalWatch {
  const endpoints = new Map<number, ApiEndpoint>();
  const unexpected: string[] = [];
  return {
    owner: {
      ...owner,
      connect: (endpoint) => {
        endpoints.set(endpoint.port, endpoint);
        return owner.connect(endpoint);
      },
    },
    async ask({ name, state, record: { apiPort } }) {
      const endpoint = state === 'running' ? endpoints.get(apiPort) : undefined;
      if (!endpoint) return;
      const acts = await readRefusals(owner, endpoint);
      const lines = acts ?? ['unknown: it did not answer any more'];
      await appendFile(
        join(folder, 'refusals.md'),
        `## ${name}\n${lines.map((line) => `- ${line}\n`).join('')}`,
      );
      for (const act of acts ?? [])
        if (meant && !meant.some((each) => each.test(act))) unexpected.push(`${name}: ${act}`);
    },
    verify() {
      if (unexpected.length === 0) return;
      throw new Error(`SELinux refused what no test brought about:\n${unexpected.join('\n')}`);
    },
  };
}

/** Each act once. Undefined where the node does not answer. */
async function readRefusals(owner: Owner, endpoint: ApiEndpoint): Promise<readonly string[] | undefined> {
  const client = owner.connect(endpoint);
  try {
    const acts = new Set<string>();
    for await (const entries of client.logs.read({ grep: REFUSAL }))
      for (const { message } of entries) acts.add(bare(message));
    return [...acts];
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    return undefined;
  } finally {
    client.close();
  }
}

/** An act without what is another each time: its number, its time, the process. */
function bare(message: string): string {
  return message.replace(/^audit: |audit\([\d.:]+\): ?|\b(?:pid|ino)=\d+ /g, '');
}
