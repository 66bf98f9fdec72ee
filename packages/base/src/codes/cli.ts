import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const cliCodes = {
  'cli/usage': {
    meaning: 'The command line could not be understood.',
    cause: 'An unknown command, option or value.',
    fix: 'See "plinth help" or "plinth COMMAND --help".',
    exitCode: exitCodes.usage,
  },
  'cli/declined': {
    meaning: 'The command asked before it acted, and the answer was no.',
    cause: 'Any answer but yes.',
    fix: 'Nothing was changed; run it again if that is what you want.',
  },
  'cli/interrupted': {
    meaning: 'The command was interrupted by its user.',
    cause: 'Ctrl-C or a termination signal.',
    fix: 'Run it again: finished steps are kept.',
    exitCode: exitCodes.interrupted,
  },
  'cli/config-invalid': {
    meaning: 'The file of client contexts cannot be used.',
    cause: 'A key that does not exist, a wrong value, or permissions that let others read it.',
    fix: 'Mend the place shown; "plinth config add --help" shows how contexts are made.',
    exitCode: exitCodes.usage,
  },
  'cli/context-missing': {
    meaning: 'No client context says which node is meant.',
    cause: 'No machine was started yet, or the name given is not in the file of contexts.',
    fix: 'Run "plinth up", or name one of "plinth config contexts" with --context.',
    exitCode: exitCodes.usage,
  },
  'internal/bug': {
    meaning: 'Plinth met a state its authors held to be impossible.',
    cause: 'A bug in Plinth.',
    fix: 'Report it with the output of the same command and --progress plain.',
  },
} as const satisfies CodeTable;
