import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const advisorCodes = {
  'advisor/answers-invalid': {
    meaning: 'The answers that the advice is to be made from cannot be used.',
    cause: 'A file with an unknown question, or a value that is none of its choices.',
    fix: 'Mend the place shown; "plinth advise --questions" lists questions and choices.',
    exitCode: exitCodes.usage,
  },
  'advisor/data-invalid': {
    meaning: "The advisor's facts, rules, moves or targets cannot be used.",
    cause:
      'A file below packages/advisor/data, or a table of os/ that "migrate check" relies on, was edited, and breaks the schema or names something unknown.',
    fix: 'Mend the place shown in the file.',
  },
  'advisor/unknown-system': {
    meaning: 'No facts are held about an operating system or platform of that name.',
    cause: 'A spelling mistake, or a system nobody has entered yet.',
    fix: 'Choose a name of "plinth advisor facts".',
    exitCode: exitCodes.usage,
  },
  'advisor/pool-invalid': {
    meaning: 'The description of a node pool cannot be read.',
    cause:
      'The file is not what az, aws, gcloud or kubectl print as JSON or YAML, or holds several pools and none was named.',
    fix: 'Make the file as "plinth migrate plan --help" shows, or name one pool with --pool.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
