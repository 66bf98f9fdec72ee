import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const workloadCodes = {
  'workload/image-invalid': {
    meaning: 'An image is not an OCI image for linux/amd64, or a part of it is not what its digest says.',
    cause:
      'A file of another kind, an image of several platforms without this one, or a copy that was cut off or changed.',
    fix: 'Save the image again as an OCI archive or layout for linux/amd64.',
    exitCode: exitCodes.usage,
  },
  'workload/exists': {
    meaning: 'The place for a signed image is taken.',
    cause: 'The image was signed before.',
    fix: 'Name another folder, or remove the one that is there.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
