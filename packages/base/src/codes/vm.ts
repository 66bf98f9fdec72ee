import type { CodeTable } from './types.ts';

export const vmCodes = {} as const satisfies CodeTable;
