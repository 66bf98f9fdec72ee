import type { z } from 'zod';
import {
  gateSpec,
  ledgerStatus,
  nodeUpdateSpec,
  nodeUpdateStatus,
  policySpec,
  policyStatus,
  releaseSpec,
  rolloutSpec,
  rolloutStatus,
  windowSpec,
} from '../objects/index.ts';
import {
  type FleetRules,
  gateRules,
  nodeUpdateRules,
  policyRules,
  releaseRules,
  rolloutRules,
  windowRules,
} from './rules.ts';

/** API group and version of all kinds. */
export const FLEET_GROUP = 'fleet.plinth.dev';
export const FLEET_VERSION = 'v1alpha1';

/** A column of "kubectl get". */
interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  /** Shown with "-o wide" alone. */
  readonly isWide?: true;
}

/** One kind of the group, all that its definition is made of. */
export interface FleetKind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  /** undefined: the kind has no spec. */
  readonly spec: z.ZodType | undefined;
  readonly status: z.ZodType | undefined;
  readonly columns: readonly Column[];
  readonly rules: FleetRules;
  /** Lists of the status in which no two items have the same values of these keys. */
  readonly uniqueLists?: Readonly<Record<string, readonly string[]>>;
}

const text = (name: string, jsonPath: string): Column => ({ name, type: 'string', jsonPath });
const number = (name: string, jsonPath: string): Column => ({ name, type: 'integer', jsonPath });
const flag = (name: string, jsonPath: string): Column => ({ name, type: 'boolean', jsonPath });
const wide = (column: Column): Column => ({ ...column, isWide: true });
const conditionIs = (type: string) => `.status.conditions[?(@.type=="${type}")].status`;

/** The kinds, in the order in which they are installed. */
export const fleetKinds: readonly FleetKind[] = [
  {
    kind: 'PlinthRelease',
    plural: 'plinthreleases',
    shortName: 'prel',
    description:
      'What nodes are brought to in one disruption: system, Kubernetes, configuration, hot layer. Immutable but for its recall.',
    spec: releaseSpec,
    status: undefined,
    columns: [
      text('OS', '.spec.os.version'),
      text('Kubernetes', '.spec.kubernetes.version'),
      text('Severity', '.spec.severity'),
      flag('Blocked', '.spec.blocked'),
      wide(text('Why', '.spec.blockedReason')),
    ],
    rules: releaseRules,
  },
  {
    kind: 'UpdatePolicy',
    plural: 'updatepolicies',
    shortName: 'upol',
    description: 'Which nodes, and inside which bounds they are brought to releases.',
    spec: policySpec,
    status: policyStatus,
    columns: [
      text('Release', '.spec.release'),
      text('Role', '.spec.role'),
      number('Nodes', '.status.matchedNodes'),
      text('Unavailable', '.spec.capacity.maxUnavailable'),
      flag('Paused', '.spec.paused'),
      text('Conflict', conditionIs('Conflict')),
      wide(number('Priority', '.spec.priority')),
    ],
    rules: policyRules,
  },
  {
    kind: 'MaintenanceWindow',
    plural: 'maintenancewindows',
    shortName: 'mwin',
    description: 'When nodes may be disrupted (Allow), or may not (Deny). Wall-clock time of its zone.',
    spec: windowSpec,
    status: undefined,
    columns: [
      text('Kind', '.spec.kind'),
      text('Schedule', '.spec.schedule'),
      text('Duration', '.spec.duration'),
      text('Zone', '.spec.timeZone'),
      flag('Hard', '.spec.hardDeny'),
    ],
    rules: windowRules,
  },
  {
    kind: 'HealthGate',
    plural: 'healthgates',
    shortName: 'hgate',
    description: 'What has to hold before a node, a wave or anything goes on. Could-not-ask holds back.',
    spec: gateSpec,
    status: undefined,
    columns: [text('Scope', '.spec.scope'), text('Fail-For', '.spec.failFor')],
    rules: gateRules,
  },
  {
    kind: 'Rollout',
    plural: 'rollouts',
    shortName: 'proll',
    description:
      'One release on its way to the nodes of one policy. The operator makes it; people pause, halt and abort it.',
    spec: rolloutSpec,
    status: rolloutStatus,
    columns: [
      text('Policy', '.spec.policy'),
      text('Release', '.spec.release'),
      text('Lane', '.spec.lane'),
      text('Phase', '.status.phase'),
      number('Wave', '.status.wave'),
      number('Done', '.status.counts.Done'),
      text('Bound', '.status.bound.name'),
      text('Late', conditionIs('DeadlineAtRisk')),
      wide(number('Left-Seconds', '.status.etaSeconds')),
      wide({ name: 'Deadline', type: 'string', jsonPath: '.status.deadline' }),
      wide(text('Why', '.status.halt.text')),
    ],
    rules: rolloutRules,
  },
  {
    kind: 'CapacityLedger',
    plural: 'capacityledgers',
    shortName: 'cled',
    description:
      'The only place where a node is given a slot: compare-and-swap on its version. Written by the operator alone.',
    spec: undefined,
    status: ledgerStatus,
    columns: [number('Epoch', '.status.epoch'), text('First', '.status.entries[0].node')],
    rules: {},
    uniqueLists: { entries: ['node'] },
  },
  {
    kind: 'NodeUpdate',
    plural: 'nodeupdates',
    shortName: 'nupd',
    description:
      'One for each node, of its name: what it is brought to, how far that is, and what the node said.',
    spec: nodeUpdateSpec,
    status: nodeUpdateStatus,
    columns: [
      text('Policy', '.spec.policy'),
      text('Release', '.spec.target.release'),
      text('Phase', '.status.progress.phase'),
      { name: 'Since', type: 'date', jsonPath: '.status.progress.since' },
      text('OS', '.status.node.osVersion'),
      text('Reason', '.status.progress.reason.code'),
      wide(text('Why', '.status.progress.reason.text')),
    ],
    rules: nodeUpdateRules,
  },
];
