import { z } from 'zod';

/** What a node was like when another version was activated; the health contract does not ask for more. */
export const baselineSchema = z.object({
  /** Checks of integrity and health that did not pass then; nobody has to mend them for an update. */
  notPassing: z.array(z.string().max(100)).max(200),
  /** Families with a default route. */
  defaultRoutes: z.array(z.enum(['IPv4', 'IPv6'])).max(2),
});
export type Baseline = z.infer<typeof baselineSchema>;

export const activatedSchema = z.object({
  version: z.string(),
  /** The version that ran then. */
  from: z.string(),
  /** "activate" puts it on trial; "roll-back" goes back to one that is proven. */
  how: z.enum(['activate', 'roll-back']),
  by: z.string(),
  reason: z.string(),
  atMs: z.number(),
  /** The boot that ended for it. */
  bootId: z.string(),
  baseline: baselineSchema.optional(),
});
/** What the boot loader was last told to try, or to go back to. */
export type ActivatedVersion = z.infer<typeof activatedSchema>;
