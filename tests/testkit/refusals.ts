import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { ApiEndpoint } from '@plinth/local';
import type { Owner } from './owner.ts';

/** By the kernel, and by the service manager and the message bus, which ask it themselves. */
export const REFUSAL = 'avc: +denied';

/** What a node's journal says of SELinux, over all its boots. */
export interface Refusals {
  readonly machine: string;
  /** Each act once, without its number and its time; undefined where the node did not answer. */
  readonly acts: readonly string[] | undefined;
}

/** askRefusals reads what SELinux refused on a node that still answers. */
export async function askRefusals(owner: Owner, machine: string, endpoint: ApiEndpoint): Promise<Refusals> {
  const client = owner.connect(endpoint);
  try {
    const acts = new Set<string>();
    for await (const entries of client.logs.read({ grep: REFUSAL }))
      for (const { message } of entries) acts.add(bare(message));
    return { machine, acts: [...acts] };
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    return { machine, acts: undefined };
  } finally {
    client.close();
  }
}

/** writeRefusals adds a machine to refusals.md of the report. */
export async function writeRefusals(folder: string, { machine, acts }: Refusals): Promise<void> {
  const lines = acts?.map((act) => `- ${act}`) ?? ['- unknown: it did not answer any more'];
  await appendFile(join(folder, 'refusals.md'), `## ${machine}\n${lines.join('\n')}\n`);
}

/** An act without what is another each time: its number, its time, the process. */
function bare(message: string): string {
  return message
    .replace(/^audit: /, '')
    .replace(/audit\([\d.:]+\): ?/, '')
    .replace(/\bpid=\d+ /, '')
    .replace(/\bino=\d+ /, '');
}
