import type { CodeTable } from './types.ts';

export const releaseCodes = {} as const satisfies CodeTable;
