import { join } from 'node:path';
import type { IndexName } from '@plinth/debian';
import { exists } from '@plinth/host';
import type { LedgerEvent } from './ledger.ts';

/** proofsFolder is where a folder of the watch keeps the signed indexes that clocks start with. */
export function proofsFolder(folder: string): string {
  return join(folder, 'indexes');
}

/** indexesOf names the signed indexes that events start their clocks with, each once; pure. */
export function indexesOf(events: readonly LedgerEvent[]): IndexName[] {
  const found = new Map<string, IndexName>();
  for (const { index, fixAvailableAt: date } of events)
    if (index && date !== undefined)
      found.set(`${index.suite} ${index.sha256}`, { suite: index.suite, sha256: index.sha256, date });
  return [...found.values()];
}

/** isWatchFolder tells a folder that "cve watch", "cve nodes --record" or "cve waive" wrote to. */
export async function isWatchFolder(folder: string): Promise<boolean> {
  const names = ['ledger.jsonl', 'nodes.jsonl', 'waivers.jsonl', 'reports'];
  return (await Promise.all(names.map((name) => exists(join(folder, name))))).includes(true);
}
