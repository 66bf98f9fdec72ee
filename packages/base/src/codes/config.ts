import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const configCodes = {
  'config/invalid': {
    meaning: 'The machine config is not valid; a node that was given it waits in maintenance.',
    cause: 'A misspelt key, a wrong type or a broken certificate; line and column are in the message.',
    fix: 'Correct the config; "plinth config explain" tells what each key takes. A node reads it again by itself.',
    exitCode: exitCodes.usage,
  },
  'config/unknown-key': {
    meaning: 'No kind of machine config has this key.',
    cause: 'A spelling mistake, or a key of another system.',
    fix: 'Run "plinth config explain" for the kinds, "plinth config explain KIND" for the keys of one.',
    exitCode: exitCodes.usage,
  },
  'config/too-large': {
    meaning: 'The machine config exceeds a limit of size, depth or number of documents.',
    cause: 'A wrong file was given.',
    fix: 'Give a config below 256 KiB, of at most 64 documents and without lists of thousands of entries.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
