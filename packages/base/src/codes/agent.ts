import type { CodeTable } from './types.ts';

export const agentCodes = {} as const satisfies CodeTable;
