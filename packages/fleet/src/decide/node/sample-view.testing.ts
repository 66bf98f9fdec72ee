import {
  type Authorization,
  momentOf,
  type NodeProgress,
  type NodeReport,
  type NodeUpdateSpec,
  policySpec,
  type RolloutSpec,
  releaseSpec,
  type Target,
} from '../../objects/index.ts';
import type { FleetView, NodeView, PodView } from '../../view/view.ts';
import { UPDATE_TAINT } from '../decision.ts';
import { rolloutNameOf } from '../rollout/wanted.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 12);
export const OLD = 'a'.repeat(64);
export const NEW = 'b'.repeat(64);
export const URGENT = 'c'.repeat(64);
export const ROLLOUT = rolloutNameOf('workers', 'r1');
export const TAINT = { key: UPDATE_TAINT, value: 'r1', effect: 'NoSchedule' } as const;
export const SLOT = momentOf(NOW_MS - 60_000);

export const TARGET: Target = {
  ...{ release: 'r1', rollout: ROLLOUT, lane: 'Standard', osVersion: '1.9.0', osRootHash: NEW },
  ...{ kubernetesVersion: '', kubernetesDigest: '', configDigest: '', hotLayerSerial: 0 },
  rebootRequired: true,
};

export const REPORT: NodeReport = {
  ...{ observedAt: momentOf(NOW_MS), bootId: 'one', osVersion: '1.8.0', osRootHash: OLD },
  ...{ stagedVersion: '1.9.0', stagedRootHash: NEW, rollbackVersion: '', rollbackRootHash: '' },
  ...{ updatePhase: 'staged', contract: 'held', kubernetesVersion: '1.37.1', configDigest: '' },
  ...{ hotLayerSerial: 0, blockedVersions: [], stagedPercent: 100 },
};

export const PERMISSION: Authorization = {
  ...{ nodeUid: 'node-uid', bootId: 'one', rootHash: NEW, direction: 'Forward', nonce: 'n1' },
  notAfter: momentOf(NOW_MS + 60_000),
};

export const POD: PodView = {
  ...{ namespace: 'default', name: 'web-1', uid: 'pod-1', labels: {}, annotations: {} },
  ...{ controllerKind: 'ReplicaSet', phase: 'Running', isReady: true, isDeleting: false },
  ...{ hasEmptyDir: false, graceSeconds: 30 },
};

/** What differs from a node that is Staged and has no slot. */
export interface Sample {
  readonly progress?: Partial<NodeProgress>;
  readonly report?: Partial<NodeReport>;
  readonly spec?: Partial<NodeUpdateSpec>;
  readonly node?: Partial<NodeView>;
  /** `since` of its entry; undefined: it has none. */
  readonly slot?: string;
  readonly pods?: readonly PodView[];
  readonly policy?: object;
  readonly rollout?: Partial<RolloutSpec>;
  readonly view?: Partial<FleetView>;
  /** An urgent release is named by the policy. */
  readonly isUrgent?: boolean;
}

const STORED = { uid: 'u', resourceVersion: '7', generation: 1, createdAtMs: 0, status: undefined };

/** sampleView is what decisions look at, with one node "n1" of the policy "workers". */
export function sampleView(sample: Sample): FleetView {
  const named = sample.isUrgent ? 'r2' : 'r1';
  const policy = policySpec.parse({
    ...{ nodeSelector: { matchLabels: { pool: 'w' } }, release: named },
    ...sample.policy,
  });
  const releases = new Map(
    [['r1', NEW, '1.9.0', 'Standard'] as const, ['r2', URGENT, '1.9.1', 'Critical'] as const].map(
      ([name, rootHash, version, severity]) => [
        name,
        { ...STORED, name, spec: releaseSpec.parse({ os: { version, rootHash }, severity }) },
      ],
    ),
  );
  const rollouts = new Map(
    (sample.isUrgent ? ['r1', 'r2'] : ['r1']).map((release) => {
      const name = rolloutNameOf('workers', release);
      const lane: 'Standard' | 'Critical' = release === 'r2' ? 'Critical' : 'Standard';
      const spec: RolloutSpec = {
        ...{ release, policy: 'workers', lane, paused: false, halt: '', abort: 'None', promotedWave: 0 },
        ...sample.rollout,
      };
      return [name, { ...STORED, name, spec }];
    }),
  );
  const entries = sample.slot
    ? [{ node: 'n1', uid: 'node-uid', rollout: ROLLOUT, domain: 'z', since: sample.slot }]
    : [];
  return {
    ...{
      nowMs: NOW_MS,
      releases,
      rollouts,
      policies: new Map([['workers', { ...STORED, name: 'workers', spec: policy }]]),
    },
    ...{
      windows: new Map(),
      gates: new Map(),
      gateResults: new Map(),
      budgets: [],
      evictionTries: new Map(),
    },
    ledgers: new Map([['workers', { ...STORED, name: 'workers', spec: {}, status: { entries, epoch: 1 } }]]),
    nodeUpdates: new Map([
      [
        'n1',
        {
          ...{ ...STORED, name: 'n1' },
          spec: { nodeUid: 'node-uid', policy: 'workers', target: TARGET, ...sample.spec },
          status: {
            progress: {
              ...{
                phase: 'Staged',
                since: momentOf(NOW_MS - 20_000),
                attempts: 0,
                denied: [],
                escalated: false,
              },
              ...{ starts: 0, failures: 0, ...sample.progress },
            },
            node: { ...REPORT, ...sample.report },
          },
        },
      ],
    ]),
    nodes: new Map([
      [
        'n1',
        {
          ...{ name: 'n1', uid: 'node-uid', resourceVersion: '9', labels: { pool: 'w' }, annotations: {} },
          ...{ isUnschedulable: false, taints: [], isReady: true, readySinceMs: NOW_MS - 3_600_000 },
          ...{
            bootId: 'one',
            kubeletVersion: 'v1.37.1',
            isDeleting: false,
            createdAtMs: 0,
            address: '10.0.0.1',
          },
          ...{ allocatable: { cpuMilli: 1, memoryBytes: 1, pods: 1 }, requested: undefined, ...sample.node },
        },
      ],
    ]),
    pods: new Map([['n1', sample.pods ?? []]]),
    attachments: new Map([['n1', []]]),
    ...{ etcd: undefined, leaderNode: '', isSynced: true, ...sample.view },
  };
}
