import type { CodeTable } from './types.ts';

export const trustCodes = {} as const satisfies CodeTable;
