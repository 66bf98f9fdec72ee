import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import {
  type CheckKnowledge,
  type CheckResult,
  checkJunit,
  checkReport,
  checkSarif,
  reportHtml,
  reportMarkdown,
} from '@plinth/advisor';
import { ioError, writeFileAtomic } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';
import { readToolVersion } from '../tool-version.ts';

const ENDINGS = ['.md', '.html', '.sarif', '.xml', '.json'] as const;
type Ending = (typeof ENDINGS)[number];

/** A file that a report is to be written to. */
export interface ReportFile {
  readonly path: string;
  readonly ending: Ending;
}

/** Waivers and reports are small; a larger one is another file. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/** reportFiles reads the value of --report. Call it before the work. @throws cli/usage for an ending without a form */
export function reportFiles(value: string | undefined): readonly ReportFile[] {
  return (value ?? '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map((path) => {
      const ending = ENDINGS.find((one) => one === extname(path).toLowerCase());
      if (ending) return { path, ending };
      throw usageError(
        `value of --report is "${path}", expected names that end with one of ${ENDINGS.join(', ')}`,
      );
    });
}

/** saveCheck writes a report, whole or not at all. @throws host/io, host/disk-full */
export async function saveCheck(
  { path, ending }: ReportFile,
  result: CheckResult,
  known: CheckKnowledge,
): Promise<void> {
  await writeFileAtomic(path, await contentOf(ending, result, known));
}

async function contentOf(ending: Ending, result: CheckResult, known: CheckKnowledge): Promise<string> {
  switch (ending) {
    case '.md':
      return reportMarkdown(checkReport(result, known.rules));
    case '.html':
      return reportHtml(checkReport(result, known.rules));
    case '.sarif':
      return checkSarif(result, known.rules, await readToolVersion());
    case '.xml':
      return checkJunit(result, known.rules);
    case '.json':
      return `${JSON.stringify(result, null, 2)}\n`;
  }
}

/** readSmallFile reads a text that a person wrote. @throws host/io, cli/usage when it is too large */
export async function readSmallFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  if (text.length <= LIMIT_BYTES) return text;
  throw usageError(`${path} has ${text.length} characters, expected at most ${LIMIT_BYTES}`);
}
