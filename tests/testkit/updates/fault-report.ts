import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import { z } from 'zod';
import { addPart, slugOf, tableRow } from '../report-parts.ts';

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
  const slug = slugOf(fault.fault).slice(0, 80);
  const faults = await addPart(join(folder, 'faults'), `${file}-${slug}`, fault, faultSchema);
  await writeFileAtomic(join(folder, 'update-report.md'), renderFaults(faults));
}

/** The table in Markdown. */
function renderFaults(faults: readonly ReportedFault[]): string {
  return [
    '# Faults of updates, and what became of the node',
    '',
    `${faults.length} faults; ${faults.filter(({ updatable }) => updatable).length} nodes could be updated again.`,
    '',
    '| Fault | Runs | Says | Back after seconds | Can be updated |',
    '| --- | --- | --- | --: | --- |',
    ...faults.map(({ fault, runs, says, recoveredMs, updatable }) =>
      tableRow([fault, runs, says, (recoveredMs / 1000).toFixed(0), updatable ? 'yes' : 'NO']),
    ),
    '',
  ].join('\n');
}
