import { z } from 'zod';
import { condition, LIST_LIMIT, moment, reason, reasonText, severity, shortText } from './values.ts';

/** Rollout: one release on its way to the nodes of one policy. The operator makes it; people pause, halt and abort it. */
export const rolloutSpec = z.object({
  release: shortText,
  policy: shortText,
  lane: severity,
  paused: z.boolean().default(false).describe('No node is begun with; nodes that are under way finish'),
  halt: reasonText.default('').describe("A person's reason to halt; empty: none"),
  abort: z
    .enum(['None', 'Stop', 'Rollback'])
    .default('None')
    .describe('Stop: the nodes stay as they are. Rollback: updated nodes go back. Not taken back'),
  /** Raised by "promote": goes on after a halt, or past the soak of the wave, by a person's word. */
  promotedWave: z.int().min(0).default(0),
  clearedHaltAt: moment.optional(),
});
export type RolloutSpec = z.infer<typeof rolloutSpec>;

const rolloutPhase = z.enum([
  'Pending',
  'Staging',
  'Progressing',
  'Soaking',
  'Halted',
  'Paused',
  'RollingBack',
  'Complete',
  'Superseded',
  'Stopped',
]);
export type RolloutPhase = z.infer<typeof rolloutPhase>;

export const rolloutStatus = z.object({
  phase: rolloutPhase,
  since: moment,
  /** When this was written last; counts alone are not written more often than every few seconds. */
  observedAt: moment.optional(),
  startedAt: moment,
  deadline: moment,
  wave: z.int().min(0),
  /** When the present wave began: what it brought is what goes back when it fails. */
  waveStartedAt: moment.optional(),
  /** When the present wave was whole; its soak is counted from it. */
  waveFullAt: moment.optional(),
  counts: z.record(z.string(), z.int().min(0)),
  /** Which bound holds the rollout back just now, its value, and what would suffice for the deadline. */
  bound: z
    .object({ name: shortText, value: z.int(), need: z.int(), advice: z.string().max(1024) })
    .optional(),
  concurrency: z.int().min(0).default(0),
  etaSeconds: z.int().min(0).optional(),
  /** Slot times of this rollout in seconds, newest last. */
  slotSeconds: z.array(z.int().min(0)).max(200).default([]),
  failures: z
    .array(z.object({ node: shortText, at: moment, reason }))
    .max(LIST_LIMIT)
    .default([]),
  halt: reason.optional(),
  haltedAt: moment.optional(),
  blockers: z
    .array(z.object({ node: shortText, reason, since: moment }))
    .max(20)
    .default([]),
  conditions: z.array(condition).max(16).default([]),
});
export type RolloutStatus = z.infer<typeof rolloutStatus>;

/** CapacityLedger: one for each policy, of its name. The only place where a node is given a slot: compare-and-swap on its resourceVersion. */
export const ledgerStatus = z.object({
  entries: z
    .array(
      z.object({
        ...{ node: shortText, uid: shortText, rollout: shortText, domain: shortText, since: moment },
        /** Its provider is to replace it: the slot stays when its Node goes, until another Node came. */
        replaced: z
          .object({
            since: moment,
            /** When the youngest Node of the policy was made that was known then: one in its place is younger. One clock, the API server's. */
            after: moment,
            hardware: shortText,
          })
          .optional(),
      }),
    )
    .max(5000)
    .default([]),
  epoch: z.int().min(0).default(0),
  /** UIDs of Nodes that came in the place of others, while any is awaited: none counts twice. */
  replacements: z.array(shortText).max(5000).optional(),
  /** When the youngest Node that ever stood for the slot of another was made: none of its age or older stands for one that is marked later. */
  lastReplacement: moment.optional(),
  /** The last `since` that was given: each is later than all before, whatever clocks say, because it names the slot. */
  lastSince: moment.optional(),
});
export type LedgerStatus = z.infer<typeof ledgerStatus>;
