import { durationMs, type Lane, type NodePhase, type PolicySpec } from '../../objects/index.ts';

/** What a phase is; the steps that act in it stand in steps.ts and the files it names. */
export interface PhaseRule {
  /** The node has a slot of the ledger. */
  readonly holdsSlot: boolean;
  readonly does: string;
  readonly awaits: string;
  /** How long the phase may last, from `status.progress.since`; undefined: as long as it takes. */
  readonly deadlineMs: (policy: PolicySpec, lane: Lane) => number | undefined;
  /** Where the deadline leads. */
  readonly onDeadline: 'Queued' | 'Yielding' | 'Fail' | 'Unreachable' | undefined;
}

/** How long an authorization is good for, by the clock of the node. */
export const AUTHORIZATION_MS = 120_000;
/** How far clocks of nodes and operators may be apart: no slot is given back earlier after an authorization was over. */
export const CLOCK_SKEW_MS = 60_000;
/** How long a more urgent release may take to be staged on a node that is being emptied already. */
export const SWAP_STAGING_MS = 300_000;

const never = () => undefined;

/** The way of a node, phase by phase. Idle, Queued and the permit to stage are the policy's (decide/rollout); all after is the node's. */
export const PHASES: Readonly<Record<NodePhase, PhaseRule>> = {
  Idle: {
    ...{ holdsSlot: false, does: 'nothing', awaits: 'a release' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Queued: {
    ...{ holdsSlot: false, does: 'nothing', awaits: 'the permit to stage' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Staging: {
    ...{ holdsSlot: false, does: 'plinthd fetches and verifies the parts', awaits: 'all parts on the node' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.staging), onDeadline: 'Queued' },
  },
  Staged: {
    ...{ holdsSlot: false, does: 'nothing', awaits: 'an entry in the ledger' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Tainting: {
    ...{ holdsSlot: true, does: 'sets the taint plinth.dev/update', awaits: 'the taint on the Node' },
    // Needs one write, as any other way out would.
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  PreHook: {
    ...{ holdsSlot: true, does: 'nothing', awaits: 'the annotations of hooks.before' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.hook), onDeadline: 'Yielding' },
  },
  Draining: {
    ...{ holdsSlot: true, does: 'evicts pods', awaits: 'no pod that may go, no volume attached' },
    ...{ deadlineMs: drainMs, onDeadline: 'Yielding' },
  },
  Upgrading: {
    ...{ holdsSlot: true, does: 'plinthd switches Kubernetes', awaits: 'that version, and the node Ready' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.kubernetes), onDeadline: 'Fail' },
  },
  Replacing: {
    ...{
      holdsSlot: true,
      does: 'deletes its Machine (policies with replace)',
      awaits: 'that the Node is gone',
    },
    ...{ deadlineMs: ({ replace }) => durationMs(replace?.timeout ?? '30m'), onDeadline: 'Unreachable' },
  },
  Authorized: {
    ...{
      holdsSlot: true,
      does: 'sends the authorization to plinthd',
      awaits: 'the end of the boot it names',
    },
    // Left by its own step: a slot is given back only once it is proven that the authorization was not used.
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Rebooting: {
    ...{ holdsSlot: true, does: 'asks plinthd', awaits: 'another boot' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.reboot), onDeadline: 'Unreachable' },
  },
  Verifying: {
    ...{ holdsSlot: true, does: 'asks plinthd', awaits: 'the target, proven and Ready for a while' },
    ...{ deadlineMs: verifyMs, onDeadline: 'Fail' },
  },
  PostHook: {
    ...{ holdsSlot: true, does: 'nothing', awaits: 'the annotations of hooks.after' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.hook), onDeadline: 'Fail' },
  },
  Untainting: {
    ...{ holdsSlot: true, does: 'removes the taint', awaits: 'that the API server took it' },
    // Needs one write, as any other way out would.
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Soaking: {
    ...{ holdsSlot: false, does: 'asks plinthd', awaits: 'the end of nodeHealth.soak' },
    // A node that is not Ready for long leaves for Quarantined.
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Done: {
    ...{ holdsSlot: false, does: 'nothing', awaits: 'a release' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Yielding: {
    ...{
      holdsSlot: true,
      does: 'drops the authorization, removes the taint',
      awaits: 'proof that it was not used',
    },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.reboot), onDeadline: 'Unreachable' },
  },
  RollingBack: {
    ...{ holdsSlot: true, does: 'authorizes the way back', awaits: 'the system before, Ready for a while' },
    ...{ deadlineMs: ({ timeouts }) => durationMs(timeouts.rollback), onDeadline: 'Unreachable' },
  },
  Quarantined: {
    ...{ holdsSlot: false, does: 'nothing', awaits: 'another release, or a person' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
  Unreachable: {
    ...{ holdsSlot: true, does: 'asks plinthd', awaits: 'the node, or a person' },
    ...{ deadlineMs: never, onDeadline: undefined },
  },
};

/** Pods have their time, those that a budget holds a while more where they may be deleted then, and volumes theirs. */
function drainMs({ drain }: PolicySpec, lane: Lane): number | undefined {
  if (drain.onTimeout === 'Hold') return undefined;
  return podsMs(drain) + (deletesAfterMs(drain, lane) ?? 0) + durationMs(drain.waitForVolumeDetach);
}

/** podsMs is how long pods have to go by themselves. */
export function podsMs({ timeout }: PolicySpec['drain']): number {
  return durationMs(timeout);
}

/** deletesAfterMs is how long after that pods are deleted that a budget holds; undefined: never. Only in the lane Critical. */
export function deletesAfterMs(
  { onTimeout, escalation }: PolicySpec['drain'],
  lane: Lane,
): number | undefined {
  if (onTimeout !== 'Escalate' || lane !== 'Critical' || escalation.deleteAfter === undefined)
    return undefined;
  return durationMs(escalation.deleteAfter);
}

/** A node has to have been Ready for a while inside its time, so that while is added to it. */
function verifyMs({ timeouts, nodeHealth }: PolicySpec): number {
  return durationMs(timeouts.ready) + durationMs(nodeHealth.ready);
}

/** isInFlight says that a node in this phase has a slot, and may be out of service because of us. */
export function isInFlight(phase: NodePhase): boolean {
  return PHASES[phase].holdsSlot;
}
