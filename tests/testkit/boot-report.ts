import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import { z } from 'zod';
import { addPart, tableRow } from './report-parts.ts';

const bootSchema = z.object({
  /** What was done to the machine or its image. */
  title: z.string(),
  /** What was expected, in words. */
  expected: z.string(),
  /** What the console decided, and its line. */
  outcome: z.string(),
  reason: z.string(),
  seconds: z.number(),
});

/** One boot in the report that a run of the boot tests leaves. */
export type ReportedBoot = z.infer<typeof bootSchema>;

/** reportBoot adds a boot to the report, and makes the table from all of them. */
export async function reportBoot(folder: string, slug: string, boot: ReportedBoot): Promise<void> {
  const boots = await addPart(join(folder, 'boots'), slug, boot, bootSchema);
  await writeFileAtomic(join(folder, 'boot-report.md'), renderReport(boots));
}

/** The table of all boots in Markdown. */
function renderReport(boots: readonly ReportedBoot[]): string {
  return [
    '# Boots of the image, and what each one showed',
    '',
    '| Machine | Expected | Outcome | Line on the console | Seconds |',
    '| --- | --- | --- | --- | --: |',
    ...boots.map(({ title, expected, outcome, reason, seconds }) =>
      tableRow([title, expected, outcome, `\`${reason}\``, seconds.toFixed(0)]),
    ),
    '',
  ].join('\n');
}
