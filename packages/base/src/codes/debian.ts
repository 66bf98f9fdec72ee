import type { CodeTable } from './types.ts';

export const debianCodes = {} as const satisfies CodeTable;
