import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const cliCodes = {
  'cli/usage': {
    meaning: 'The command line could not be understood.',
    cause: 'An unknown command, option or value.',
    fix: 'See "plinth help" or "plinth COMMAND --help".',
    exitCode: exitCodes.usage,
  },
  'cli/interrupted': {
    meaning: 'The command was interrupted by its user.',
    cause: 'Ctrl-C or a termination signal.',
    fix: 'Run it again: finished steps are kept.',
    exitCode: exitCodes.interrupted,
  },
  'internal/bug': {
    meaning: 'Plinth met a state its authors held to be impossible.',
    cause: 'A bug in Plinth.',
    fix: 'Report it with the output of the same command and --progress plain.',
  },
} as const satisfies CodeTable;
