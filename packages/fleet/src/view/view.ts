import type {
  GateResult,
  GateSpec,
  LedgerStatus,
  NodeReport,
  NodeUpdateSpec,
  NodeUpdateStatus,
  PolicySpec,
  PolicyStatus,
  ReleaseSpec,
  RolloutSpec,
  RolloutStatus,
  WindowSpec,
} from '../objects/index.ts';

// What decisions are made of. Reflectors fill it, decisions read it; nothing here is ever written to. Times are milliseconds
// since 1970 by the clock of `nowMs`; durations of objects are parsed where they are used.

/** An object of ours as the API server last showed it. */
export interface Stored<Spec, Status> {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAtMs: number;
  readonly spec: Spec;
  readonly status: Status | undefined;
}

/** A Node, as far as decisions look. */
export interface NodeView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `spec.unschedulable`: a person's, or another program's. We never touch it. */
  readonly isUnschedulable: boolean;
  readonly taints: readonly Taint[];
  readonly isReady: boolean;
  /** Since when Ready has its present value. */
  readonly readySinceMs: number;
  readonly bootId: string;
  readonly kubeletVersion: string;
  readonly isDeleting: boolean;
  /** When the API server made the object; seconds. */
  readonly createdAtMs: number;
  /** Where plinthd answers; the InternalIP. */
  readonly address: string;
  readonly allocatable: Requests;
  /** Sum of the requests of its pods; undefined where nobody has counted. */
  readonly requested: Requests | undefined;
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface Requests {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly pods: number;
}

/** A pod of a node that is being emptied. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Kind of the controller that would start it elsewhere; undefined: nobody would. */
  readonly controllerKind: string | undefined;
  readonly phase: string;
  readonly isReady: boolean;
  readonly isDeleting: boolean;
  readonly hasEmptyDir: boolean;
  /** Seconds the pod has to end by itself. */
  readonly graceSeconds: number;
}

/** A PodDisruptionBudget. */
export interface BudgetView {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelectorView;
  readonly disruptionsAllowed: number;
}

export interface LabelSelectorView {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

/** What is known of etcd's members, by what the control planes' plinthd said. */
export interface EtcdView {
  readonly members: readonly {
    readonly node: string;
    readonly isHealthy: boolean;
    readonly isLearner: boolean;
    readonly isLeader: boolean;
  }[];
  readonly hasAlarm: boolean;
  /** When they said so; absent: the one who asked does not say. */
  readonly askedAtMs?: number;
}

/** What came of the last try to have a node replaced by its provider. */
export interface ReplaceTry {
  /** deleting: its Machine is on its way out; kept: it is not; refused: it may not be deleted; unknown: nobody could tell. */
  readonly is: 'deleting' | 'kept' | 'refused' | 'unknown';
  readonly text: string;
  readonly atMs: number;
}

/** Outcome of the last try to evict a pod. */
export interface EvictionTry {
  readonly podUid: string;
  /** HTTP status of the answer: 201 granted, 429 a budget holds it, 500 two budgets select it, … */
  readonly status: number;
  readonly message: string;
  readonly atMs: number;
}

/** By when the signed metadata of a release's channel want it on nodes. */
export type SignedDeadline =
  | { readonly is: 'said'; readonly byMs: number; readonly reason: string }
  | { readonly is: 'none' }
  /** Nobody could read it, and why. */
  | { readonly is: 'unknown'; readonly text: string };

export type StoredRelease = Stored<ReleaseSpec, never>;
export type StoredPolicy = Stored<PolicySpec, PolicyStatus>;
export type StoredRollout = Stored<RolloutSpec, RolloutStatus>;
export type StoredLedger = Stored<Record<string, never>, LedgerStatus>;
export type StoredNodeUpdate = Stored<NodeUpdateSpec, NodeUpdateStatus>;

/** What plinthd said, before it stands in the NodeUpdate: it is written with the next phase, so news costs no write of its own. */
export interface Heard {
  /** Of the Node and the release it was asked for; of others it says nothing. */
  readonly nodeUid: string;
  readonly release: string | undefined;
  /** `observedAt` of the report that stood in the NodeUpdate then: once there is another, somebody heard the node since. No clocks are compared. */
  readonly after: string | undefined;
  readonly report: NodeReport;
}

/** Everything that a decision may look at. */
export interface FleetView {
  readonly nowMs: number;
  readonly releases: ReadonlyMap<string, StoredRelease>;
  readonly policies: ReadonlyMap<string, StoredPolicy>;
  readonly rollouts: ReadonlyMap<string, StoredRollout>;
  readonly windows: ReadonlyMap<string, Stored<WindowSpec, never>>;
  readonly gates: ReadonlyMap<string, Stored<GateSpec, never>>;
  readonly gateResults: ReadonlyMap<string, GateResult>;
  readonly ledgers: ReadonlyMap<string, StoredLedger>;
  readonly nodeUpdates: ReadonlyMap<string, StoredNodeUpdate>;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly budgets: readonly BudgetView[];
  /** Pods by node: of nodes in flight and of candidates that were looked at; absent: not listed (yet), never "none". */
  readonly pods: ReadonlyMap<string, readonly PodView[]>;
  /** Names of VolumeAttachments by node; absent: not listed. */
  readonly attachments: ReadonlyMap<string, readonly string[]>;
  readonly evictionTries: ReadonlyMap<string, EvictionTry>;
  /** By UID of the Node; what this operator tried, a new leader asks anew. */
  readonly replaceTries?: ReadonlyMap<string, ReplaceTry>;
  /** What nodes said to this operator, last; a new leader asks anew. */
  readonly heard?: ReadonlyMap<string, Heard>;
  /** undefined: nobody could tell, so no control plane is touched. */
  readonly etcd: EtcdView | undefined;
  /** By release, of those that name a channel; absent: not asked. */
  readonly signedDeadlines?: ReadonlyMap<string, SignedDeadline>;
  /** What the API server says its version is, "v1.36.4"; absent: it was not asked. */
  readonly apiServerVersion?: string;
  /** Writes a second that the runtime allows itself at the API server; absent: 20. */
  readonly writesPerSecond?: number;
  /** Node the leading operator runs on; its turn comes last. Empty: outside. */
  readonly leaderNode: string;
  /** Every reflector has a consistent list, taken after this operator became leader. False: nothing is admitted. */
  readonly isSynced: boolean;
}
