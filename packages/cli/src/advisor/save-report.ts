import { extname } from 'node:path';
import { type Report, reportHtml, reportMarkdown } from '@plinth/advisor';
import { writeFileAtomic } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';

/** What a report can be written as, by the ending of its file's name. */
export type ReportForms<Ending extends string> = Readonly<Record<Ending, () => string>>;

/** The endings of what documentForms writes. */
export const documentEndings = ['.md', '.html', '.json'] as const;

/** reportEnding is the form that a file's name asks for. Call it before the work. @throws cli/usage */
export function reportEnding<Ending extends string>(path: string, endings: readonly Ending[]): Ending {
  const ending = endings.find((one) => one === extname(path).toLowerCase());
  if (ending) return ending;
  throw usageError(
    `value of --report is "${path}", expected a name that ends with one of ${endings.join(', ')}`,
  );
}

/**
 * saveReport writes a report in the form its name asks for, whole or not at all; an older one is replaced.
 * @throws cli/usage, host/disk-full, host/io
 */
export async function saveReport<Ending extends string>(
  path: string,
  forms: ReportForms<Ending>,
): Promise<void> {
  const ending = reportEnding(path, Object.keys(forms) as Ending[]);
  await writeFileAtomic(path, forms[ending]());
}

/** documentForms are the forms that every report has: the document, and the data it is made from. */
export function documentForms(report: Report, data: unknown): ReportForms<(typeof documentEndings)[number]> {
  return {
    '.md': () => reportMarkdown(report),
    '.html': () => reportHtml(report),
    '.json': () => `${JSON.stringify(data, null, 2)}\n`,
  };
}
