import { z } from 'zod';
import { digest, LIST_LIMIT, moment, reason, severity, shortText } from './values.ts';

/** Phases of a node on its way to a release; see docs/explanation/fleet.md for what is done in each, and what leaves it. */
export const nodePhase = z.enum([
  'Idle',
  'Queued',
  'Staging',
  'Staged',
  'Tainting',
  'PreHook',
  'Draining',
  'Upgrading',
  'Replacing',
  'Authorized',
  'Rebooting',
  'Verifying',
  'PostHook',
  'Untainting',
  'Soaking',
  'Done',
  'Yielding',
  'RollingBack',
  'Quarantined',
  'Unreachable',
]);
export type NodePhase = z.infer<typeof nodePhase>;

/** The parts of a release, resolved, and where they come from. */
export const target = z.object({
  release: shortText,
  rollout: shortText,
  lane: severity,
  osVersion: shortText.default(''),
  osRootHash: z.string().max(64).default(''),
  kubernetesVersion: shortText.default(''),
  kubernetesDigest: z.string().max(64).default(''),
  configDigest: z.string().max(64).default(''),
  hotLayerSerial: z.int().min(0).default(0),
  rebootRequired: z.boolean().default(true),
});
export type Target = z.infer<typeof target>;

/** Permission for exactly one start: it names the node, the boot it ends, and what is booted next. Used up by the reboot itself. */
export const authorization = z.object({
  nodeUid: shortText,
  bootId: shortText,
  /** Root hash of what is started next; for a release without a system, that of the system that runs. */
  rootHash: digest,
  direction: z.enum(['Forward', 'Back']),
  notAfter: moment,
  nonce: shortText,
});
export type Authorization = z.infer<typeof authorization>;

/** NodeUpdate: one for each node, of its name, owned by the Node. The operator writes all of it; what the node said stands in `status.node`. */
export const nodeUpdateSpec = z.object({
  nodeUid: shortText,
  policy: shortText,
  target: target.optional(),
  authorization: authorization.optional(),
});
export type NodeUpdateSpec = z.infer<typeof nodeUpdateSpec>;

/** The machine config of a node beside that of the release. */
const configReport = z.object({
  /** In effect on the node. */
  revision: z.int().min(0),
  /**
   * InEffect: it has the documents of the release. Due: it has not. Staged: they wait for the next boot. OnTrial: they have to reach health.
   * Reverted: plinthd took them back.
   */
  state: z.enum(['InEffect', 'Due', 'Staged', 'OnTrial', 'Reverted']),
  /** What it takes to bring them into effect. */
  needs: z.enum(['Nothing', 'Restart', 'Reboot']),
  /** The revision in effect was brought by this release. */
  isOurs: z.boolean(),
  /** The way back from it waits for the next boot. */
  isBackStaged: z.boolean(),
  /** What differs from the release; twenty at most. */
  changes: z.array(z.string().max(253)).max(20),
  /** Files that are not as the config in effect says; twenty at most. */
  drift: z.array(z.string().max(253)).max(20),
});
export type ConfigReport = z.infer<typeof configReport>;

/** The act on Kubernetes that plinthd is at, or was at last; it is known by when it began. */
const kubernetesAct = z.object({
  startedAt: moment,
  state: z.enum(['Running', 'Done', 'Failed', 'Reverted']),
  failure: reason.optional(),
});
export type KubernetesAct = z.infer<typeof kubernetesAct>;

/** What plinthd on the node said about itself, last time it was asked. */
const nodeReport = z.object({
  observedAt: moment,
  bootId: shortText,
  osVersion: shortText,
  osRootHash: z.string().max(64),
  stagedVersion: shortText,
  stagedRootHash: z.string().max(64),
  /** Proven version that the node can go back to; empty when there is none. */
  rollbackVersion: shortText,
  rollbackRootHash: z.string().max(64),
  /** plinthd's own phase of its update, lower case: "idle", "staged", "assessing", … */
  updatePhase: shortText,
  /** Health contract of this boot: "not-on-trial", "running", "held", "broken". */
  contract: shortText,
  kubernetesVersion: shortText,
  configDigest: z.string().max(64),
  hotLayerSerial: z.int().min(0),
  blockedVersions: z.array(shortText).max(LIST_LIMIT),
  stagedPercent: z.int().min(0).max(100),
  failure: reason.optional(),
  /** Asked only for a release with a config. */
  config: configReport.optional(),
  /** While it runs; of one that is over, only for a release with Kubernetes. */
  kubernetesAct: kubernetesAct.optional(),
});
export type NodeReport = z.infer<typeof nodeReport>;

/** What the operator remembers about a node: all that a new leader needs to go on. */
const nodeProgress = z.object({
  phase: nodePhase,
  since: moment,
  /** `since` of the ledger's entry that was taken up last: names the slot, so one that was given back is not taken twice. */
  admittedAt: moment.optional(),
  attempts: z.int().min(0),
  nextTry: moment.optional(),
  /** The act on Kubernetes that was the last when the upgrade was begun with: another one is this upgrade's. */
  actBefore: moment.optional(),
  /** When the target was swapped for a more urgent one while the node was being emptied. */
  retargetedAt: moment.optional(),
  /** Its slot is known to outlive its Node, so its Machine may be on its way out: from here on it is not given back by what a ledger shows. */
  placeKept: z.boolean().optional(),
  /** Why it is in this phase, or what it waits for. */
  reason: reason.optional(),
  /** Releases this node failed on, which it is not brought to again. */
  denied: z.array(z.object({ release: shortText, reason })).max(16),
  /** The drain was cut short by a rule of the policy, on record. */
  escalated: z.boolean(),
  /** Starts that were permitted for the present target; two at most, the way back included. */
  starts: z.int().min(0),
  /** Fails that count against the rollout's budget. */
  failures: z.int().min(0),
});
export type NodeProgress = z.infer<typeof nodeProgress>;

export const nodeUpdateStatus = z.object({
  progress: nodeProgress.optional(),
  node: nodeReport.optional(),
});
export type NodeUpdateStatus = z.infer<typeof nodeUpdateStatus>;
