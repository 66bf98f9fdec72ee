import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const captureCodes = {
  'capture/request-invalid': {
    meaning: 'The node does not understand which packets are meant, or how many.',
    cause:
      'A filter that is not as expected, a limit out of its bounds, or no reason; the message says which.',
    fix: 'Mend the value that the message names; "plinth capture --help" shows what a filter can say.',
    exitCode: exitCodes.usage,
  },
  'capture/interface-missing': {
    meaning: 'The node has no interface of that name.',
    cause: 'A spelling mistake, or the interface of a pod that is gone.',
    fix: 'Run "plinth get network" for the interfaces; without a name packets of all are captured.',
  },
  'capture/busy': {
    meaning: 'The node is capturing packets already.',
    cause: 'Somebody else captures at this moment, or a capture that was broken off has yet to end.',
    fix: 'Try again; a capture takes ten minutes at most. "plinth audit log" shows who captures.',
  },
  'capture/failed': {
    meaning: 'Packets could not be captured to the end.',
    cause: 'The unit that captures could not be started or ended badly; the message holds its words.',
    fix: 'Read "plinth logs plinth-capture".',
  },
} as const satisfies CodeTable;
