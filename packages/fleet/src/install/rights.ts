import { FLEET_GROUP } from '../crd/index.ts';
import { FLEET_NAME, gatesNamespaceOf, metadataOf, PEERS, PROMOTE_VERB } from './names.ts';

/** A rule as RBAC has it. */
export interface Right {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];
/** What a reflector does: it never gets one object. */
const FOLLOW = ['list', 'watch'];

/**
 * What the operator does in the whole cluster: exactly the calls it makes, which a test holds against the audit log of an API
 * server (operator-rights.tool.test.ts).
 */
export const CLUSTER_RIGHTS: readonly Right[] = [
  // Taints of its own; an admission policy refuses any other change of a Node.
  { apiGroups: [''], resources: ['nodes'], verbs: [...FOLLOW, 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: FOLLOW },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: FOLLOW },
  { apiGroups: ['storage.k8s.io'], resources: ['volumeattachments'], verbs: FOLLOW },
  {
    apiGroups: [FLEET_GROUP],
    resources: ['plinthreleases', 'updatepolicies', 'maintenancewindows', 'healthgates'],
    verbs: FOLLOW,
  },
  { apiGroups: [FLEET_GROUP], resources: ['rollouts', 'nodeupdates'], verbs: [...FOLLOW, 'create', 'patch'] },
  { apiGroups: [FLEET_GROUP], resources: ['capacityledgers'], verbs: [...FOLLOW, 'create'] },
  {
    apiGroups: [FLEET_GROUP],
    resources: ['updatepolicies/status', 'rollouts/status', 'capacityledgers/status', 'nodeupdates/status'],
    verbs: ['patch'],
  },
];

/** Only for policies with drain.escalation.deleteAfter, so that it is given by hand. */
const POD_DELETION: Right = { apiGroups: [''], resources: ['pods'], verbs: ['delete'] };

/** Only for policies with replace, so that it is given by hand; where the Machines are. */
export const MACHINE_RIGHTS: readonly Right[] = [
  { apiGroups: ['cluster.x-k8s.io'], resources: ['machines'], verbs: ['get', 'delete'] },
  { apiGroups: ['cluster.x-k8s.io'], resources: ['machinedeployments'], verbs: ['get'] },
];

/** What it does in its own namespace: its Lease, and the machine configs that releases name. */
export const NAMESPACE_RIGHTS: readonly Right[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'update'],
    resourceNames: [FLEET_NAME],
  },
];

/** Events of objects of the cluster, and of Nodes, are in the namespace "default". */
export const EVENT_RIGHTS: readonly Right[] = [
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
];

/** Whom to expect at each node's address; one ConfigMap and no other of its namespace. */
export const PEER_RIGHTS: readonly Right[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: FOLLOW, resourceNames: [PEERS.name] },
];

/** Jobs of gates, and what they are made from; in a namespace where nothing else is. */
export const GATE_RIGHTS: readonly Right[] = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'create'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
];

const RBAC = 'rbac.authorization.k8s.io/v1';

/** What the operator may delete, by hand. */
export interface MayDelete {
  /** Pods that a budget holds, for policies with drain.escalation.deleteAfter. */
  readonly mayDeletePods: boolean;
  /** Machines of Cluster API, for policies with replace; absent: no. */
  readonly mayDeleteMachines?: boolean;
}

/** accountManifests gives the operator's account with its rights, and roles for people. */
export function accountManifests(namespace: string, may: MayDelete): readonly object[] {
  const subjects = [{ kind: 'ServiceAccount', name: FLEET_NAME, namespace }];
  const binding = (kind: 'ClusterRole' | 'Role', name: string, place?: string) => ({
    apiVersion: RBAC,
    kind: `${kind}Binding`,
    metadata: metadataOf(name, place),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects,
  });
  const role = (kind: 'ClusterRole' | 'Role', name: string, rules: readonly Right[], place?: string) => ({
    apiVersion: RBAC,
    kind,
    metadata: metadataOf(name, place),
    rules,
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(FLEET_NAME, namespace) },
    role('ClusterRole', FLEET_NAME, [
      ...CLUSTER_RIGHTS,
      ...(may.mayDeletePods ? [POD_DELETION] : []),
      ...(may.mayDeleteMachines ? MACHINE_RIGHTS : []),
    ]),
    binding('ClusterRole', FLEET_NAME),
    role('Role', FLEET_NAME, NAMESPACE_RIGHTS, namespace),
    binding('Role', FLEET_NAME, namespace),
    role('Role', `${FLEET_NAME}-peers`, PEER_RIGHTS, PEERS.namespace),
    binding('Role', `${FLEET_NAME}-peers`, PEERS.namespace),
    role('Role', `${FLEET_NAME}-events`, EVENT_RIGHTS, 'default'),
    binding('Role', `${FLEET_NAME}-events`, 'default'),
    role('Role', `${FLEET_NAME}-gates`, GATE_RIGHTS, gatesNamespaceOf(namespace)),
    binding('Role', `${FLEET_NAME}-gates`, gatesNamespaceOf(namespace)),
    ...peopleRoles(),
  ];
}

/** Roles that a cluster administrator binds to people. */
function peopleRoles(): readonly object[] {
  const role = (name: string, rules: readonly Right[]) => ({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: metadataOf(name),
    rules,
  });
  const own = ['plinthreleases', 'updatepolicies', 'maintenancewindows', 'healthgates'];
  return [
    role(`${FLEET_NAME}-viewer`, [{ apiGroups: [FLEET_GROUP], resources: ['*'], verbs: READ }]),
    role(`${FLEET_NAME}-editor`, [
      { apiGroups: [FLEET_GROUP], resources: own, verbs: [...READ, ...WRITE] },
      { apiGroups: [FLEET_GROUP], resources: ['rollouts'], verbs: [...READ, 'update', 'patch'] },
    ]),
    role(`${FLEET_NAME}-promoter`, [
      {
        apiGroups: [FLEET_GROUP],
        resources: ['rollouts'],
        verbs: [...READ, 'update', 'patch', PROMOTE_VERB],
      },
    ]),
  ];
}
