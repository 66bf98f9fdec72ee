import type { CodeTable } from './types.ts';

export const policyCodes = {} as const satisfies CodeTable;
