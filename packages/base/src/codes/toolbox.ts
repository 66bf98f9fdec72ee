import type { CodeTable } from './types.ts';

export const toolboxCodes = {} as const satisfies CodeTable;
