import { type Check, Verdict } from '@plinth/api';
import { type ExitCode, exitCodes } from '@plinth/base';
import { type Block, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

/** verdictWord spells a verdict; whatever is not known is "unknown". */
export function verdictWord(verdict: Verdict): 'pass' | 'fail' | 'unknown' {
  if (verdict === Verdict.PASS) return 'pass';
  return verdict === Verdict.FAIL ? 'fail' : 'unknown';
}

/** verdictMark colours by verdict; the word is always there too. */
export function verdictMark(verdict: Verdict, style: Style): (text: string) => string {
  const word = verdictWord(verdict);
  return word === 'pass' ? style.good : word === 'fail' ? style.bad : style.doubtful;
}

/** verdictExit is 3 for anything but "pass" where --exit-code asked for it. */
export function verdictExit(wanted: boolean, passes: boolean): { exitCode: ExitCode } {
  return { exitCode: wanted && !passes ? exitCodes.findings : exitCodes.ok };
}

/** checksTable shows checks, those that do not pass last, where the eye ends. */
export function checksTable(checks: readonly Check[]): Block {
  const order = { pass: 0, unknown: 1, fail: 2 };
  const rows = [...checks].sort((a, b) => order[verdictWord(a.verdict)] - order[verdictWord(b.verdict)]);
  return table(
    [
      { header: 'NAME', value: (check) => check.id },
      {
        header: 'VERDICT',
        value: (check) => verdictWord(check.verdict),
        mark: (check, style) => verdictMark(check.verdict, style),
      },
      { header: 'OBSERVED', value: (check) => check.observed },
      { header: 'EXPECTED', value: (check) => check.expected, wide: true },
      { header: 'SOURCE', value: (check) => check.source, wide: true },
    ],
    rows,
  );
}

/** checkFixes says what is behind each check that does not pass, and what to do about it. */
export function checkFixes(checks: readonly Check[]): string | undefined {
  const lines = checks
    .filter(({ verdict, fix }) => verdict !== Verdict.PASS && fix !== '')
    .map(({ id, cause, fix }) => `${id}: ${printable(cause === '' ? fix : `${cause} ${fix}`)}`);
  return lines.length === 0 ? undefined : lines.join('\n');
}
