import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; returns at once, without an error, when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Waiting by the clock of this process. */
export const waitForReal: Wait = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined);
