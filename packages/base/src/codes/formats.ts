import type { CodeTable } from './types.ts';

export const formatsCodes = {} as const satisfies CodeTable;
