import type {
  LedgerStatus,
  NodeUpdateSpec,
  NodeUpdateStatus,
  PolicyStatus,
  RolloutSpec,
  RolloutStatus,
  Target,
} from '../objects/index.ts';
import type { Taint } from '../view/view.ts';

// What a decision wants done. Decisions are pure functions of a FleetView; the runtime carries them out. Each write names the
// version of the object it was decided on, so whatever was decided on something stale fails there and is decided anew.

/** The version of an object that a write was decided on; the write fails when it has changed. */
export interface At {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

export type Write =
  | {
      readonly do: 'create-rollout';
      readonly name: string;
      readonly spec: RolloutSpec;
      readonly status: RolloutStatus;
    }
  | { readonly do: 'rollout-status'; readonly at: At; readonly status: RolloutStatus }
  /** Only to raise the lane of a rollout that already brings what a Critical release fixes. */
  | { readonly do: 'rollout-spec'; readonly at: At; readonly spec: RolloutSpec }
  | { readonly do: 'policy-status'; readonly at: At; readonly status: PolicyStatus }
  | { readonly do: 'create-ledger'; readonly name: string }
  | { readonly do: 'ledger'; readonly at: At; readonly status: LedgerStatus }
  /** Changes nothing, and fails while there is a Node of this UID: before its slot is taken back as that of a Node that is gone. */
  | { readonly do: 'prove-gone'; readonly node: string; readonly uid: string }
  | { readonly do: 'create-node-update'; readonly name: string; readonly spec: NodeUpdateSpec }
  /** Spec before status, each with the version the step before gave: a crash between them leaves an intent without a phase, which the next look goes on from. */
  | {
      readonly do: 'node-update';
      readonly at: At;
      /** Decided on what the write of this object before it in the decision leaves: its version is taken in place of the one of `at`. */
      readonly follows?: true;
      readonly spec?: NodeUpdateSpec;
      readonly status?: NodeUpdateStatus;
    }
  | { readonly do: 'taint'; readonly at: At; readonly taint: Taint }
  | {
      readonly do: 'untaint';
      readonly at: At;
      readonly key: string;
      readonly effect: string;
      /** Another taint of ours that goes with it, where it is there. */
      readonly also?: { readonly key: string; readonly effect: string };
    }
  | {
      readonly do: 'evict';
      readonly namespace: string;
      readonly pod: string;
      readonly uid: string;
      readonly graceSeconds: number | undefined;
    }
  /**
   * Has the provider replace a node: deletes its Machine, where that is whose node it is and its pool makes another one. Can be repeated.
   * What came of it is a ReplaceTry.
   */
  | {
      readonly do: 'replace-node';
      readonly node: string;
      readonly uid: string;
      /** False: only asks whether the Machine is being deleted. */
      readonly mayDelete: boolean;
      /** Kubernetes that the pool has to give to new nodes; empty: any. */
      readonly kubernetesVersion: string;
    }
  | { readonly do: 'delete-pod'; readonly namespace: string; readonly pod: string; readonly uid: string }
  | {
      readonly do: 'event';
      readonly on: { readonly kind: string; readonly name: string; readonly uid: string };
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    };

/** Calls of plinthd. All can be repeated: a node that is at it, or was, says so. Answers come back as `status.node`. */
export type NodeCall =
  | { readonly call: 'report' }
  | { readonly call: 'stage'; readonly target: Target }
  | { readonly call: 'unstage' }
  /** Carries the authorization that stands in the NodeUpdate; plinthd refuses it in any other boot. */
  | { readonly call: 'activate'; readonly target: Target }
  | { readonly call: 'roll-back' }
  /** Switches Kubernetes in place; refused while plinthd is at it. */
  | { readonly call: 'upgrade-kubernetes'; readonly target: Target }
  /** Brings back the machine config that was in effect before the target's, where that one is. */
  | { readonly call: 'take-back'; readonly target: Target };

/** What one look at one node, or at one policy, leads to. Writes are carried out in their order; the first that fails ends it. */
export interface Decision {
  readonly writes: readonly Write[];
  readonly calls: readonly { readonly node: string; readonly call: NodeCall }[];
  /** Nothing changes before, unless something in the view does; undefined: never. */
  readonly lookAgainAtMs: number | undefined;
  /** Nodes whose pods have to be listed before they can be admitted; at most 200. */
  readonly lookAtPods?: readonly string[];
}

/** Own taint of a node that is being updated. `spec.unschedulable` is never touched. */
export const UPDATE_TAINT = 'plinth.dev/update';
/** Own taint of nodes that are still to come: pods that have to move go to nodes that are done. */
export const OUTDATED_TAINT = 'plinth.dev/outdated';
export const OUTDATED_EFFECT = 'PreferNoSchedule';
/** A node with this label is never admitted. */
export const HOLD_LABEL = 'plinth.dev/hold';
