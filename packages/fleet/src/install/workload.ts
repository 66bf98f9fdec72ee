import {
  FLEET_LABELS,
  FLEET_NAME,
  HTTP_PORT,
  metadataOf,
  NODE_ACCESS_DIR,
  NODE_ACCESS_SECRET,
  userOf,
} from './names.ts';

/** What the operator's pods are made from. */
export interface WorkloadOptions {
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
}

/** A user that is in no image's /etc/passwd. */
const USER_ID = 65_532;

/** workloadManifests gives the Deployment and what the cluster has to know to keep it running and bounded. */
export function workloadManifests({ namespace, image, replicas }: WorkloadOptions): readonly object[] {
  const selector = { matchLabels: { 'app.kubernetes.io/name': FLEET_NAME } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadataOf(FLEET_NAME, namespace),
      spec: {
        replicas,
        selector,
        // The new one is there before the old one goes; the Lease decides which of them acts.
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: { metadata: { labels: FLEET_LABELS }, spec: podSpec(image) },
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadataOf(FLEET_NAME, namespace),
      // maxUnavailable, not minAvailable: with one replica the operator must not hold its own node for ever.
      spec: { maxUnavailable: 1, selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadataOf(FLEET_NAME, namespace),
      spec: {
        clusterIP: 'None',
        selector: selector.matchLabels,
        ports: [{ name: 'metrics', port: HTTP_PORT, targetPort: 'http' }],
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadataOf(FLEET_NAME, namespace),
      spec: { podSelector: selector, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'http' }] }] },
    },
    ...flowManifests(namespace),
  ];
}

function podSpec(image: string): object {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, periodSeconds: 10, timeoutSeconds: 5 });
  return {
    serviceAccountName: FLEET_NAME,
    priorityClassName: 'system-cluster-critical',
    terminationGracePeriodSeconds: 20,
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: USER_ID, runAsGroup: USER_ID, fsGroup: USER_ID },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    tolerations: [
      { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
      // In a cluster of one node the operator has to come back to the node that it tainted.
      { key: 'plinth.dev/update', operator: 'Exists', effect: 'NoSchedule' },
      // A node that does not answer keeps the operator for half a minute, not for five.
      ...['not-ready', 'unreachable'].map((what) => ({
        ...{ key: `node.kubernetes.io/${what}`, operator: 'Exists', effect: 'NoExecute' },
        tolerationSeconds: 30,
      })),
    ],
    topologySpreadConstraints: [
      {
        ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': FLEET_NAME } },
      },
    ],
    containers: [
      {
        name: 'operator',
        image,
        env: [
          field('PLINTH_FLEET_NAMESPACE', 'metadata.namespace'),
          field('POD_NAME', 'metadata.name'),
          field('NODE_NAME', 'spec.nodeName'),
        ],
        ports: [{ name: 'http', containerPort: HTTP_PORT }],
        startupProbe: { ...probe('/healthz'), failureThreshold: 30, periodSeconds: 2 },
        livenessProbe: { ...probe('/healthz'), failureThreshold: 3 },
        readinessProbe: probe('/readyz'),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        securityContext: {
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'node-access', mountPath: NODE_ACCESS_DIR, readOnly: true }],
      },
    ],
    volumes: [{ name: 'node-access', secret: { secretName: NODE_ACCESS_SECRET, defaultMode: 0o440 } }],
  };
}

/** A queue of its own at the API server: the operator starves nobody, and nobody starves it. */
function flowManifests(namespace: string): readonly object[] {
  return [
    {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      metadata: metadataOf(FLEET_NAME),
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 10,
          lendablePercent: 50,
          limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 100 } },
        },
      },
    },
    flowSchema(FLEET_NAME, FLEET_NAME, 800, namespace, {
      ...{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
    }),
    // Renewing the Lease waits behind nothing of its own: who cannot renew it ends.
    flowSchema(`${FLEET_NAME}-lease`, 'leader-election', 190, namespace, {
      ...{ verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: [namespace] },
    }),
  ];
}

function flowSchema(
  name: string,
  level: string,
  precedence: number,
  namespace: string,
  rule: object,
): object {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: metadataOf(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      distinguisherMethod: { type: 'ByUser' },
      rules: [{ subjects: [{ kind: 'User', user: { name: userOf(namespace) } }], resourceRules: [rule] }],
    },
  };
}
