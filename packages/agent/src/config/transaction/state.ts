import { z } from 'zod';

/** Revisions the node remembers. */
export const HISTORY_LIMIT = 20;

const effectSchema = z.union([
  z.strictObject({ kind: z.literal('live') }),
  z.strictObject({ kind: z.enum(['reload', 'restart']), unit: z.string() }),
  z.strictObject({ kind: z.literal('reboot'), why: z.string() }),
]);

/** How a config takes effect; a config that the machine is provisioned with has a way of its own. */
export const modes = ['auto', 'staged', 'try', 'provisioning'] as const;
export type Mode = (typeof modes)[number];

/** What has become of a revision; see ConfigOutcome in config.proto. */
export const outcomes = ['staged', 'trial', 'settling', 'good', 'reverted', 'dropped'] as const;
export type Outcome = (typeof outcomes)[number];

const revisionSchema = z.strictObject({
  revision: z.int().min(1),
  /** SHA-256 of the text, hexadecimal; also the name it is stored by. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(0),
  /** Where it came from: "api", "fw_cfg", "smbios", … */
  source: z.string(),
  author: z.string(),
  reason: z.string(),
  mode: z.enum(modes),
  /** By the node's clock, for people only: no rule depends on it. */
  appliedAtMs: z.number(),
  outcome: z.enum(outcomes),
  /** Why it was taken back. */
  note: z.string(),
});

/** A revision in effect that has yet to prove itself. */
const trialSchema = z.strictObject({
  revision: z.int(),
  /** What comes back when it fails. */
  previous: z.int(),
  /** Somebody confirms it, or the node reaches health with it. */
  until: z.enum(['confirmed', 'healthy']),
  /** Boot the deadline belongs to: time since the kernel started has no meaning in another one. */
  bootId: z.string(),
  /** Milliseconds since that boot began: a clock that is set does not move it. */
  deadlineMs: z.number(),
  /** Boots in which it may still go on; one that has to be confirmed has none. */
  bootsLeft: z.int(),
  /** Checks that failed before it: what was broken already is not its fault. */
  failingBefore: z.array(z.string()),
});

const stateSchema = z.strictObject({
  version: z.literal(1),
  nextRevision: z.int(),
  /** The revision the machine is to have, and nothing else is. */
  current: z.int(),
  /** The last revision that was confirmed or reached health. */
  lastKnownGood: z.int().optional(),
  trial: trialSchema.optional(),
  /** Waits for a boot after the one it was staged in. */
  staged: z
    .strictObject({ revision: z.int(), bootId: z.string(), failingBefore: z.array(z.string()) })
    .optional(),
  /** What the machine was last provisioned with: the same again is no news, also where it was taken back. */
  provisioned: z.strictObject({ source: z.string(), hash: z.string() }).optional(),
  /** What is left to do on the machine. Stored with the decision itself, so that a killed plinthd goes on with it. */
  work: z.strictObject({
    bootId: z.string(),
    /** Whether the machine has all that the current revision asks for. */
    done: z.boolean(),
    /** Done in this order; doing one twice is harmless. */
    effects: z.array(effectSchema),
    /** Files that may be on the machine because of a config, this one or an earlier one. */
    owned: z.array(z.string()),
    /** What waits for a reboot. */
    reboot: z.array(z.string()),
  }),
  history: z.array(revisionSchema),
});

export type Effect = z.infer<typeof effectSchema>;
export type Revision = z.infer<typeof revisionSchema>;
export type Trial = z.infer<typeof trialSchema>;
/** All that plinthd remembers of the machine config, apart from the texts. */
export type ConfigState = z.infer<typeof stateSchema>;

/** parseState reads a stored state; throws what zod and JSON throw. */
export function parseState(text: string): ConfigState {
  return stateSchema.parse(JSON.parse(text));
}

/** revisionOf finds a revision; undefined when the node does not remember it. */
export function revisionOf(state: ConfigState, revision: number): Revision | undefined {
  return state.history.find((each) => each.revision === revision);
}

/** needed are the revisions that must not be forgotten. */
export function needed({ current, lastKnownGood, trial, staged }: ConfigState): ReadonlySet<number> {
  return new Set([
    current,
    lastKnownGood ?? current,
    trial?.previous ?? current,
    staged?.revision ?? current,
  ]);
}
