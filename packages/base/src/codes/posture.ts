import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const postureCodes = {
  'posture/profile-unknown': {
    meaning: 'There is no hardening profile of that name.',
    cause: 'A spelling mistake; or a file of your own whose name does not end with ".yaml".',
    fix: 'Take one of the profiles that the message names.',
    exitCode: exitCodes.usage,
  },
  'posture/profile-invalid': {
    meaning: 'A file with hardening profiles cannot be used.',
    cause:
      'It cannot be read, or says something that profiles do not say; each problem is listed with its line.',
    fix: 'Mend what is listed; the profiles of Plinth in packages/posture/data show the form.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
