import { type CheckResult, checkJunit, checkReport, checkSarif } from '@plinth/advisor';
import { documentEndings, documentForms, reportEnding, saveReport } from '../advisor/save-report.ts';

const ENDINGS = [...documentEndings, '.sarif', '.xml'] as const;

/** reportFiles reads the value of --report. Call it before the work. @throws cli/usage for an ending without a form */
export function reportFiles(value: string | undefined): readonly string[] {
  const paths = (value ?? '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  for (const path of paths) reportEnding(path, ENDINGS);
  return paths;
}

/** saveCheck writes a report, whole or not at all. @throws host/io, host/disk-full */
export async function saveCheck(path: string, result: CheckResult, version: string): Promise<void> {
  await saveReport<(typeof ENDINGS)[number]>(path, {
    ...documentForms(checkReport(result), result),
    '.sarif': () => checkSarif(result, version),
    '.xml': () => checkJunit(result),
  });
}
