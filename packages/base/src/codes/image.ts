import type { CodeTable } from './types.ts';

export const imageCodes = {} as const satisfies CodeTable;
