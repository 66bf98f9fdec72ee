import { z } from 'zod';

const reasonSchema = z.object({ code: z.string(), message: z.string(), hint: z.string() });

export const lastCheckSchema = z.object({
  /** When the repository last answered; absent: never. */
  checkedAtMs: z.number().optional(),
  channel: z.string(),
  /** The version that ran then: what comes next depends on it. */
  booted: z.string(),
  /** "" when there is none to take. */
  version: z.string(),
  newest: z.string(),
  reasons: z.array(reasonSchema).max(20),
  /** Why the last question failed; what is above is of the one before. */
  failure: reasonSchema.optional(),
});
/** What the repository offered when it was last asked. */
export type LastCheck = z.infer<typeof lastCheckSchema>;
