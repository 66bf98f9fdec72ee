import type { UpdateRole } from '@plinth/trust';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * How long each role's metadata are believed. The timestamp is short: it bounds how long a mirror can hide an update, and a
 * timer renews it. The others end late: they need keys that are not online, and a node only looks at the newest.
 */
export const lifetimesMs: Readonly<Record<UpdateRole, number>> = {
  root: 730 * DAY_MS,
  targets: 365 * DAY_MS,
  images: 365 * DAY_MS,
  snapshot: 30 * DAY_MS,
  timestamp: 24 * HOUR_MS,
};

/** formatExpiry writes a time as TUF wants it: UTC, whole seconds. */
export function formatExpiry(now: Date, lifetimeMs: number): string {
  return `${new Date(now.getTime() + lifetimeMs).toISOString().slice(0, 19)}Z`;
}

/** needsRenewal tells whether less than a third of a lifetime is left. */
export function needsRenewal(expires: string, lifetimeMs: number, now: Date): boolean {
  return Date.parse(expires) - now.getTime() < lifetimeMs / 3;
}
