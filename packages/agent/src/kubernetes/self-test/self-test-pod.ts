/** Kept on a node from its first registration until it has passed its self-test; "Ready" does not take it off. */
export const UNTESTED_TAINT = { key: 'plinth.dev/untested', effect: 'NoSchedule' } as const;

export const SELF_TEST_NAMESPACE = 'kube-system';
/** Label of the pods of self-tests; its value is the UID of the node. */
export const SELF_TEST_LABEL = 'plinth.dev/self-test';

/** What each step of the self-test tries, in order; a step is a container of the pod. */
export const SELF_TEST_STEPS = {
  runtime: 'an image is there and a container starts',
  volume: 'a volume can be written and read',
  dns: 'the cluster resolves a name of its own',
  network: 'a service is reached over the pod network',
} as const;

export type SelfTestStep = keyof typeof SELF_TEST_STEPS;

export interface SelfTestPlan {
  readonly nodeName: string;
  readonly nodeUid: string;
  /** Reference of the layer's probe. */
  readonly probeImage: string;
}

/** A new node may be slow, but not that slow: its first pods pay for cold caches, under emulation ten times. */
const DEADLINE_SECONDS = 600;

/** Every cluster has it; the search list of the pod adds the cluster's domain. */
const SERVICE = 'kubernetes.default.svc';

/** selfTestPodName is one name for each node, so that two control planes cannot test it at once. */
export function selfTestPodName(nodeName: string): string {
  return `plinth-self-test-${nodeName}`;
}

/**
 * renderSelfTestPod describes the pod that tries a node: each step is an init container, so that the first that fails
 * ends it and is named. It is bound to the node without the scheduler, which would not put it there.
 */
export function renderSelfTestPod({ nodeName, nodeUid, probeImage }: SelfTestPlan): object {
  const commands: Readonly<Record<SelfTestStep, readonly string[]>> = {
    runtime: ['lookup', 'localhost'],
    volume: ['write', '/volume/probe', nodeUid],
    dns: ['lookup', SERVICE],
    network: ['connect', `${SERVICE}:443`],
  };
  const container = (name: string, args: readonly string[]) => ({
    name,
    image: probeImage,
    imagePullPolicy: 'Never',
    args,
    resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '64Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: 'volume', mountPath: '/volume' }],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: selfTestPodName(nodeName),
      namespace: SELF_TEST_NAMESPACE,
      labels: { [SELF_TEST_LABEL]: nodeUid },
    },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      activeDeadlineSeconds: DEADLINE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      securityContext: { fsGroup: 65532 },
      initContainers: Object.entries(commands).map(([name, args]) => container(name, args)),
      containers: [container('done', ['read', '/volume/probe'])],
      volumes: [{ name: 'volume', emptyDir: { sizeLimit: '1Mi' } }],
    },
  };
}
