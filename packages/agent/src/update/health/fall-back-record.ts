import { z } from 'zod';
import { contractCheckSchema } from './contract-record.ts';

export const failedBootSchema = z.object({
  bootId: z.string(),
  beganAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** Its last lines of weight, oldest first. */
  journal: z.array(z.string().max(300)).max(40),
});

export const fallBackSchema = z.object({
  from: z.string(),
  to: z.string(),
  foundAtMs: z.number(),
  /** The boot that found it. */
  bootId: z.string(),
  code: z.enum(['update/contract-broken', 'update/boot-died']),
  reason: z.string(),
  tries: z.number(),
  /** How the boot before the one that found it ended. */
  end: z.object({ kind: z.string(), evidence: z.array(z.string()) }).optional(),
  boots: z.array(failedBootSchema).max(9),
  /** Checks that did not pass at the last look; empty when there was none. */
  checks: z.array(contractCheckSchema).max(100),
});
/** A version that did not prove itself, and what the node found out about it. */
export type FallBackRecord = z.infer<typeof fallBackSchema>;
export type FailedBootRecord = z.infer<typeof failedBootSchema>;
