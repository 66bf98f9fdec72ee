import { z } from 'zod';
import { type Authorization, authorizationSchema } from './start-authorization.ts';

export const machineActKinds = ['reboot', 'shutdown', 'reset'] as const;
export type MachineActKind = (typeof machineActKinds)[number];

/** How an act is stored: enough to go on with it after a restart of plinthd, and after the boot it causes. */
export const machineActSchema = z.object({
  kind: z.enum(machineActKinds),
  state: z.enum(['draining', 'ending', 'returning', 'done', 'failed']),
  askedBy: z.string(),
  reason: z.string(),
  askedAtMs: z.number(),
  /** What a typed name overrode; "" when nothing was in the way. */
  overridden: z.string(),
  /** The boot it ends. */
  bootId: z.string(),
  drain: z
    .object({
      /** Milliseconds since the boot of bootId began. */
      deadlineMs: z.number(),
      evictUnmanaged: z.boolean(),
      /** Whether it was this act that let the node take no pods: only then it lets it take pods again. */
      cordoned: z.boolean(),
    })
    .optional(),
  /** What the next boot is to be of, where it is another version; done last, when the pods are away. */
  update: z
    .object({
      how: z.enum(['activate', 'roll-back']),
      version: z.string(),
      /** Absent: by the firmware. */
      way: z.literal('soft-reboot').optional(),
    })
    .optional(),
  /** What permitted it, where it was asked for with a permission for this one start. */
  authorization: authorizationSchema.optional(),
  /** Last word, for people. */
  note: z.string(),
  failure: z.object({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
});

/** A reboot, shutdown or reset. */
export type MachineAct = z.infer<typeof machineActSchema>;

/** What is asked for. */
export interface MachineRequest {
  readonly kind: MachineActKind;
  readonly askedBy: string;
  readonly reason: string;
  /** What a person typed to let nothing be in the way. */
  readonly override: string;
  readonly drain: { readonly timeoutMs: number; readonly evictUnmanaged: boolean } | undefined;
  /** Of a reboot into another version. */
  readonly update?: NonNullable<MachineAct['update']>;
  /** Without one the role of who asks suffices. */
  readonly authorization?: Authorization | undefined;
}

/** isUnderWay tells whether an act still changes something. */
export function isUnderWay(act: MachineAct | undefined): act is MachineAct {
  return act !== undefined && act.state !== 'done' && act.state !== 'failed';
}

/**
 * actAfterBoot is what becomes of a stored act when plinthd starts; pure.
 * In the boot it was asked in it goes on as it was. In a later one the system has ended as asked, or otherwise: either
 * way a node that was drained waits to be healthy and takes pods again. A reset that is remembered did not happen.
 */
export function actAfterBoot(act: MachineAct, bootId: string): MachineAct {
  if (!isUnderWay(act) || act.bootId === bootId) return act;
  if (act.kind === 'reset')
    return {
      ...act,
      state: 'failed',
      failure: {
        code: 'machine/reset-undone',
        message: 'Cannot reset the node: it came back with its old /var, expected a new one',
        hint: 'Read the journal of systemd-repart.service of this boot, then call again.',
      },
    };
  return act.drain?.cordoned ? { ...act, state: 'returning', note: '' } : { ...act, state: 'done', note: '' };
}
