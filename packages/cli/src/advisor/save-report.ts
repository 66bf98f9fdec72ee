import { extname } from 'node:path';
import { type Report, reportEndings, reportHtml, reportMarkdown } from '@plinth/advisor';
import { writeFileAtomic } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';

type Ending = (typeof reportEndings)[number];

/** reportEnding is the form that a file's name asks for. Call it before the work. @throws cli/usage */
export function reportEnding(path: string): Ending {
  const ending = reportEndings.find((one) => one === extname(path).toLowerCase());
  if (ending) return ending;
  throw usageError(
    `value of --report is "${path}", expected a name that ends with one of ${reportEndings.join(', ')}`,
  );
}

/**
 * saveReport writes a report in the form its name asks for, whole or not at all; an older one is replaced.
 * @throws cli/usage when a drawing is asked for and the report has none; host/disk-full, host/io
 */
export async function saveReport(path: string, report: Report, data: unknown): Promise<void> {
  const ending = reportEnding(path);
  await writeFileAtomic(path, contentOf(ending, report, data));
}

function contentOf(ending: Ending, report: Report, data: unknown): string {
  if (ending === '.json') return `${JSON.stringify(data, null, 2)}\n`;
  if (ending === '.md') return reportMarkdown(report);
  if (ending === '.html') return reportHtml(report);
  const drawing = report.sections.flatMap(({ parts }) => parts).find((part) => part.kind === 'diagram');
  if (drawing?.kind !== 'diagram')
    throw usageError('this report has no diagram, expected .md, .html or .json');
  return `${ending === '.svg' ? drawing.svg : drawing.mermaid}\n`;
}
