import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';

/** One boot in the report that a run of the boot tests leaves. */
export interface ReportedBoot {
  /** What was done to the machine or its image. */
  readonly title: string;
  /** What was expected, in words. */
  readonly expected: string;
  /** What the console decided, and its line. */
  readonly outcome: string;
  readonly reason: string;
  readonly seconds: number;
}

/**
 * reportBoot adds a boot to the report: one JSON file a boot, because each file of tests is a process of its own, and
 * the table made from all of them.
 */
export async function reportBoot(folder: string, slug: string, boot: ReportedBoot): Promise<void> {
  const parts = join(folder, 'boots');
  await mkdir(parts, { recursive: true });
  await writeFileAtomic(join(parts, `${slug}.json`), `${JSON.stringify(boot, null, 2)}\n`);
  const names = (await readdir(parts)).filter((name) => name.endsWith('.json')).sort();
  const boots = await Promise.all(
    names.map(async (name) => parseBoot(await readFile(join(parts, name), 'utf8'))),
  );
  await writeFileAtomic(join(folder, 'boot-report.md'), renderReport(boots));
}

/** renderReport makes the table of all boots in Markdown. */
export function renderReport(boots: readonly ReportedBoot[]): string {
  const rows = boots.map(({ title, expected, outcome, reason, seconds }) =>
    [title, expected, outcome, `\`${reason}\``, seconds.toFixed(0)].map(cell).join(' | '),
  );
  return [
    '# Boots of the image, and what each one showed',
    '',
    '| Machine | Expected | Outcome | Line on the console | Seconds |',
    '| --- | --- | --- | --- | --: |',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function parseBoot(text: string): ReportedBoot {
  const value: Partial<Record<keyof ReportedBoot, unknown>> = JSON.parse(text);
  const { title, expected, outcome, reason, seconds } = value;
  return {
    title: String(title),
    expected: String(expected),
    outcome: String(outcome),
    reason: String(reason),
    seconds: Number(seconds),
  };
}
