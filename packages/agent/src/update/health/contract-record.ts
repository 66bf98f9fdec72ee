import { z } from 'zod';

export const contractCheckSchema = z.object({
  id: z.string().max(200),
  verdict: z.enum(['pass', 'fail', 'unknown']),
  observed: z.string().max(500),
  expected: z.string().max(500),
  source: z.string().max(500),
  cause: z.string().max(1000),
  fix: z.string().max(1000),
  critical: z.boolean(),
});

export const contractSchema = z.object({
  version: z.string(),
  bootId: z.string(),
  state: z.enum(['running', 'held', 'broken']),
  beganAtMs: z.number(),
  decidedAtMs: z.number().optional(),
  /** After a soft-reboot: how long the kernel had run when user space started. */
  beganUpMs: z.number().optional(),
  /** After the start of the kernel; absent where there is no version to go back to, and so none. */
  deadlineMs: z.number().optional(),
  checks: z.array(contractCheckSchema).max(100),
});
/** The proof of one boot: what it has to show, and how far it is. */
export type ContractRecord = z.infer<typeof contractSchema>;

/** contractLimitMs is how long a version had after its start; undefined where there was no limit. */
export function contractLimitMs({
  deadlineMs,
  beganUpMs = 0,
}: Pick<ContractRecord, 'deadlineMs' | 'beganUpMs'>): number | undefined {
  return deadlineMs === undefined ? undefined : deadlineMs - beganUpMs;
}
