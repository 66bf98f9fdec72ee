import type { WindowSpec } from '../objects/index.ts';
import type {
  LabelSelectorView,
  NodeView,
  Stored,
  StoredLedger,
  StoredNodeUpdate,
  StoredPolicy,
  StoredRollout,
} from '../view/view.ts';

/** One start of a machine, told by the machine itself (plinthd's audit, or a simulated one), not by the operator. */
export interface ObservedStart {
  readonly node: string;
  readonly nodeUid: string;
  readonly fromBootId: string;
  readonly bootId: string;
  readonly rootHash: string;
  /** Nonce of the permission that was used; undefined: the boot loader's own fall-back, or no one's doing. */
  readonly nonce: string | undefined;
}

/** A pod as the audit looks at it. */
export interface ObservedPod {
  readonly uid: string;
  readonly node: string;
  readonly controllerKind: string | undefined;
  readonly phase: string;
  readonly isMirror: boolean;
  /** For S11 and S15; absent: they are not looked at. */
  readonly details?: {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly isReady: boolean;
    /** When its deletion was asked for, by the API server's clock; undefined: it was not. */
    readonly goingSinceMs: number | undefined;
  };
}

/** A PodDisruptionBudget as the audit looks at it. */
export interface ObservedBudget {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelectorView;
  /** Pods that it let go and that the controller has not seen go yet. */
  readonly disruptedPods: readonly string[];
}

/**
 * One change that was seen from outside, in the order of the API server's versions; `object` undefined: it was deleted. The
 * audit knows nothing of the operator but what stands in objects.
 */
export type Observation =
  | { readonly kind: 'node'; readonly name: string; readonly object: NodeView | undefined }
  | { readonly kind: 'nodeUpdate'; readonly name: string; readonly object: StoredNodeUpdate | undefined }
  | { readonly kind: 'ledger'; readonly name: string; readonly object: StoredLedger | undefined }
  | { readonly kind: 'policy'; readonly name: string; readonly object: StoredPolicy | undefined }
  | { readonly kind: 'rollout'; readonly name: string; readonly object: StoredRollout | undefined }
  | { readonly kind: 'window'; readonly name: string; readonly object: Stored<WindowSpec, never> | undefined }
  | { readonly kind: 'pod'; readonly name: string; readonly object: ObservedPod | undefined }
  | { readonly kind: 'budget'; readonly name: string; readonly object: ObservedBudget | undefined }
  | { readonly kind: 'start'; readonly start: ObservedStart }
  /** A pod was deleted, not evicted, by the operator. */
  | { readonly kind: 'pod-deletion'; readonly node: string };

/** A rule that was broken. */
export interface Violation {
  /** "S1" … "S15", as docs/explanation/fleet-proof.md names them. */
  readonly rule: string;
  readonly text: string;
  readonly atMs: number;
}
