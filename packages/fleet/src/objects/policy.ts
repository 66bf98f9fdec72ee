import { z } from 'zod';
import { condition, countOrPercent, duration, LIST_LIMIT, nodeSelector, shortText } from './values.ts';

const wave = z.object({
  name: shortText.default(''),
  perClass: z.int().min(1).max(100).optional().describe('Canaries: so many of each hardware class'),
  upTo: countOrPercent.optional().describe('Nodes updated when the wave is over, all waves before included'),
  soak: duration.default('0s'),
});
export type Wave = z.infer<typeof wave>;

/** How nodes of a pool are replaced by whoever made them. */
const replace = z.object({
  provider: z.enum(['ClusterAPI']).describe('ClusterAPI: the Machine of the node is deleted'),
  timeout: duration
    .default('30m')
    .describe('How long until the Node is gone, and then until another one is Ready in its place'),
});

const drain = z.object({
  timeout: duration.default('15m').describe('How long pods may take to leave'),
  onTimeout: z
    .enum(['Yield', 'Hold', 'Escalate'])
    .default('Yield')
    .describe('Yield: give the slot back and try later. Hold: wait. Escalate: what escalation says'),
  gracePeriodCap: duration.default('10m').describe('No pod is given longer to end'),
  unmanagedPods: z
    .enum(['Block', 'Evict'])
    .default('Block')
    .describe('Pods that nobody would start elsewhere'),
  emptyDir: z.enum(['Evict', 'Block']).default('Evict').describe('Pods whose files in an emptyDir are lost'),
  waitForVolumeDetach: duration
    .default('5m')
    .describe('How long volumes may take to come off before the start'),
  escalation: z
    .object({
      deleteAfter: duration
        .optional()
        .describe('Delete pods that a disruption budget holds; only in the lane Critical. Absent: never'),
    })
    .default({}),
  retryBackoff: z
    .object({ initial: duration.default('5m'), max: duration.default('6h') })
    .default({ initial: '5m', max: '6h' }),
});

/** UpdatePolicy: which nodes, and inside which bounds they are brought to releases. */
export const policySpec = z.object({
  nodeSelector,
  release: shortText.default('').describe('PlinthRelease the nodes are brought to; empty: none'),
  role: z.enum(['Worker', 'ControlPlane']).default('Worker'),
  priority: z.int().min(0).max(10_000).default(100).describe('Lower goes first'),
  capacity: z
    .object({
      maxUnavailable: countOrPercent.default('10%').describe('Rounded down, at least one'),
      minAvailable: countOrPercent.default(0).describe('Rounded up; never relaxed'),
      headroom: z
        .object({ enabled: z.boolean().default(true), reserve: countOrPercent.default('10%') })
        .default({ enabled: true, reserve: '10%' }),
      lostAfter: duration
        .default('1h')
        .describe('A node that is not Ready for longer leaves both sides of the shares'),
      allowSingleNode: z.boolean().default(false).describe('The only node of the policy may go away too'),
    })
    .prefault({}),
  topology: z
    .object({
      key: shortText.default('topology.kubernetes.io/zone').describe('Label that names the failure domain'),
      domainsInFlight: z.int().min(1).max(100).default(1).describe('Failure domains at once'),
      maxUnavailablePerDomain: countOrPercent.default('34%'),
    })
    .prefault({}),
  hardwareClassKey: shortText
    .default('node.kubernetes.io/instance-type')
    .describe('Label that names the kind of hardware, for canaries'),
  waves: z
    .array(wave)
    .min(1)
    .max(20)
    .default([
      { name: 'canary', perClass: 1, soak: '30m' },
      { name: '', upTo: '1%', soak: '30m' },
      { name: '', upTo: '5%', soak: '15m' },
      { name: '', upTo: '25%', soak: '10m' },
      { name: '', upTo: '100%', soak: '0s' },
    ]),
  ramp: z
    .object({
      factor: z.number().min(1).max(100).default(2).describe('Nodes at once grow by it after good ones'),
      onFailure: z.number().min(0).max(1).default(0.5).describe('And shrink by it after a failure'),
    })
    .prefault({}),
  pace: z
    .object({
      mode: z
        .enum(['Gentle', 'Balanced', 'Fastest'])
        .default('Balanced')
        .describe('Gentle: as few at once as the deadline takes. Fastest: as many as the bounds allow'),
      deadlineHours: z
        .object({
          Standard: z.int().min(1).default(336),
          High: z.int().min(1).default(72),
          Critical: z.int().min(1).default(24),
        })
        .prefault({}),
      utilisation: z.int().min(10).max(100).default(80).describe('Percent'),
    })
    .prefault({}),
  churn: z
    .object({
      maxEvictionsPerSecond: z.number().min(0.1).max(1000).default(20).describe('For pods of the policy'),
      maxStaging: countOrPercent.default('10%').describe('Nodes that fetch a release at once'),
    })
    .prefault({}),
  drain: drain.prefault({}),
  timeouts: z
    .object({
      staging: duration.default('60m'),
      kubernetes: duration.default('20m').describe('How long an upgrade of Kubernetes may take on a node'),
      reboot: duration.default('10m'),
      ready: duration.default('5m'),
      rollback: duration.default('15m'),
      hook: duration.default('10m'),
    })
    .prefault({}),
  nodeHealth: z
    .object({
      ready: duration.default('60s').describe('How long the node has to be Ready without a break'),
      soak: duration.default('60s'),
    })
    .prefault({}),
  failureBudget: z
    .object({
      canary: z.int().min(0).default(0).describe('Failures of canaries that do not halt'),
      absolute: z.int().min(0).default(3).describe('Failures within the window that do not halt'),
      percent: z.int().min(0).max(100).default(2),
      window: duration.default('1h'),
      rollbackFailedNodes: z.boolean().default(true),
      rollbackWave: z
        .boolean()
        .default(false)
        .describe('When the budget is spent, the nodes of the wave go back too'),
    })
    .prefault({}),
  replace: replace
    .optional()
    .describe(
      'Nodes are replaced by their provider instead of started anew; the pool gives new ones the release. Workers only',
    ),
  hooks: z
    .object({
      before: z
        .array(shortText)
        .max(16)
        .default([])
        .describe(
          'Annotations that others set on the Node, to the name of the Rollout, before it is emptied',
        ),
      after: z.array(shortText).max(16).default([]).describe('The same, before it takes pods again'),
    })
    .prefault({}),
  windows: z.array(shortText).max(LIST_LIMIT).default([]).describe('MaintenanceWindows; none: always'),
  gates: z.array(shortText).max(LIST_LIMIT).default([]).describe('HealthGates'),
  paused: z.boolean().default(false),
});
export type PolicySpec = z.infer<typeof policySpec>;

export const policyStatus = z.object({
  conditions: z.array(condition).max(16).default([]),
  matchedNodes: z.int().min(0).default(0),
});
export type PolicyStatus = z.infer<typeof policyStatus>;
