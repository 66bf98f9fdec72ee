import { describeCode, errorCodes, exitCodes, isErrorCode } from '@plinth/base';
import { markdownTable, page } from './page.ts';

const meanings: Readonly<Record<string, string>> = {
  ok: 'Done.',
  failed: 'Not done; the error on standard error says why.',
  usage: 'The command line or a configuration file is not valid; nothing was started.',
  findings:
    'Done, and it found differences or faults; where `--exit-code` asked for this, and always of `audit verify`.',
  forbidden: 'Not authenticated, or not allowed.',
  partial: 'Some nodes succeeded, some did not; or some of the input of `migrate check` could not be read.',
  timedOut: 'It took longer than it was given.',
  interrupted: 'Ctrl-C or a termination signal; finished steps are kept.',
} satisfies Record<keyof typeof exitCodes, string>;

/** exitCodesPage documents the exit codes and which errors lead to each. */
export function exitCodesPage(): string {
  const rows = Object.entries(exitCodes).map(([name, value]) => {
    const codes = Object.keys(errorCodes).filter(
      (code) => isErrorCode(code) && describeCode(code).exitCode === value,
    );
    return [String(value), name, meanings[name] ?? '', codes.map((code) => `\`${code}\``).join(', ')];
  });
  return page(
    'Exit codes',
    'packages/base/src/exit-codes.ts',
    'The same for every command. An error without a line of its own here ends with 1.',
    markdownTable(['Code', 'Name', 'Meaning', 'Errors'], rows),
  );
}
