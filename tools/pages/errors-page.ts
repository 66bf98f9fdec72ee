import { describeCode, type ErrorCode, errorCodes, exitCodes, isErrorCode } from '@plinth/base';
import { page } from './page.ts';

/** errorsPage documents every error code, by area. */
export function errorsPage(): string {
  const byArea = Map.groupBy(
    Object.keys(errorCodes).filter(isErrorCode).sort(),
    (code) => code.split('/')[0] ?? '',
  );
  const areas = [...byArea].map(([area, codes]) => [`## ${area}`, ...codes.map(section)].join('\n\n'));
  return page(
    'Error codes',
    'packages/base/src/codes/',
    'Every error of `plinth` carries one of these codes between brackets. `plinth errors CODE` shows the same text.',
    ...areas,
  );
}

function section(code: ErrorCode): string {
  const { meaning, cause, fix, exitCode } = describeCode(code);
  return [
    `### ${code}`,
    meaning,
    `- **Cause:** ${cause}\n- **Fix:** ${fix}\n- **Exit code:** ${exitCode ?? exitCodes.failed}`,
  ].join('\n\n');
}
