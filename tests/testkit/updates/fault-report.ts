import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import { z } from 'zod';

const faultSchema = z.object({
  /** What was done to the node. */
  fault: z.string(),
  /** The version it runs afterwards. */
  runs: z.string(),
  /** What it says about it. */
  says: z.string(),
  /** From the fault until the API answered, reboots included. */
  recoveredMs: z.number(),
  /** A version could be staged afterwards. */
  updatable: z.boolean(),
});

/** One fault that a node went through. */
export type ReportedFault = z.infer<typeof faultSchema>;

/** clearFaults takes away what an earlier run of the same file of tests reported. */
export async function clearFaults(folder: string, file: string): Promise<void> {
  const parts = join(folder, 'faults');
  await mkdir(parts, { recursive: true });
  for (const name of await readdir(parts)) if (name.startsWith(`${file}-`)) await rm(join(parts, name));
}

/** reportFault adds a fault to out/update-report.md: a file a fault, and the table of all. */
export async function reportFault(folder: string, file: string, fault: ReportedFault): Promise<void> {
  const parts = join(folder, 'faults');
  await mkdir(parts, { recursive: true });
  const slug = fault.fault
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 80);
  await writeFileAtomic(join(parts, `${file}-${slug}.json`), `${JSON.stringify(fault, null, 2)}\n`);
  const names = (await readdir(parts)).filter((name) => name.endsWith('.json')).sort();
  const faults = await Promise.all(
    names.map(async (name) => faultSchema.parse(JSON.parse(await readFile(join(parts, name), 'utf8')))),
  );
  await writeFileAtomic(join(folder, 'update-report.md'), renderFaults(faults));
}

/** renderFaults makes the table in Markdown. */
export function renderFaults(faults: readonly ReportedFault[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rows = faults.map(({ fault, runs, says, recoveredMs, updatable }) =>
    [fault, runs, says, (recoveredMs / 1000).toFixed(0), updatable ? 'yes' : 'NO'].map(cell).join(' | '),
  );
  return [
    '# Faults of updates, and what became of the node',
    '',
    `${faults.length} faults; ${faults.filter(({ updatable }) => updatable).length} nodes could be updated again.`,
    '',
    '| Fault | Runs | Says | Back after seconds | Can be updated |',
    '| --- | --- | --- | --: | --- |',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
}
