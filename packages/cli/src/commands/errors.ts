import {
  closest,
  describeCode,
  type ErrorCode,
  errorCodes,
  exitCodes,
  isErrorCode,
  PlinthError,
} from '@plinth/base';
import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';
import { facts, table } from '../output/blocks.ts';

const codes = Object.keys(errorCodes).filter(isErrorCode).sort();

export const errorsCommand = defineCommand({
  path: ['errors'],
  summary: 'Explain an error code, or list all of them',
  extraFormats: ['name'],
  examples: [
    { run: 'plinth errors host/disk-full', what: 'meaning, cause and fix' },
    { run: 'plinth errors -o name', what: 'all codes, one a line' },
  ],
  options: {},
  args: { code: optional('CODE', 'What stands between brackets in an error, e.g. host/disk-full') },
  run: async ({ args }) => {
    if (args.code === undefined) return listCodes();
    if (!isErrorCode(args.code)) throw unknownCode(args.code);
    const entry = describe(args.code);
    return {
      data: entry,
      names: [entry.code],
      view: [
        facts([
          ['code', entry.code],
          ['meaning', entry.meaning],
          ['cause', entry.cause],
          ['fix', entry.fix],
          ['exit code', String(entry.exitCode)],
        ]),
      ],
    };
  },
});

function listCodes() {
  const rows = codes.map(describe);
  const columns = [
    { header: 'NAME', value: (row: Entry) => row.code },
    { header: 'EXIT', value: (row: Entry) => String(row.exitCode), align: 'right' as const },
    { header: 'MEANING', value: (row: Entry) => row.meaning },
  ];
  return { data: rows, names: codes, view: [table(columns, rows)] };
}

type Entry = ReturnType<typeof describe>;

function describe(code: ErrorCode) {
  const { meaning, cause, fix, exitCode } = describeCode(code);
  return { code, meaning, cause, fix, exitCode: exitCode ?? exitCodes.failed };
}

function unknownCode(text: string): PlinthError {
  const meant = closest(text, codes);
  return new PlinthError(
    'cli/usage',
    `Cannot explain "${text}": unknown code, expected one of "plinth errors"`,
    {
      hint: meant === undefined ? 'Run "plinth errors" for the list.' : `Did you mean ${meant}?`,
    },
  );
}
