/** One object of a cluster, and where it is posted. */
export interface SampleObject {
  readonly path: string;
  readonly object: object;
  /** Others need it: namespaces and accounts. */
  readonly first: boolean;
}

const NODES = 200;
const PODS_OF_ONE = 100;

/**
 * clusterObjects are the objects of a cluster with so many pods: Deployments of a hundred pods each, as large as pods of
 * charts are (two containers, probes, forty variables), some with a host path or privileged, and their nodes.
 */
export function clusterObjects(pods: number): SampleObject[] {
  const namespaces = Array.from({ length: 10 }, (_, i) => `team-${i}`);
  const first = namespaces.flatMap((name): SampleObject[] => [
    { path: '/api/v1/namespaces', object: { metadata: { name } }, first: true },
  ]);
  const accounts = namespaces.map(
    (namespace): SampleObject => ({
      path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
      object: { metadata: { name: 'default', namespace } },
      first: false,
    }),
  );
  const nodes = Array.from(
    { length: NODES },
    (_, i): SampleObject => ({
      path: '/api/v1/nodes',
      object: { metadata: { name: `node-${i}` } },
      first: true,
    }),
  );
  const apps = Array.from({ length: Math.ceil(pods / PODS_OF_ONE) }, (_, i) => ({
    name: `app-${i}`,
    namespace: namespaces[i % namespaces.length] ?? '',
    spec: podSpec(i),
  }));
  const deployments = apps.map(
    ({ name, namespace, spec }): SampleObject => ({
      path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
      object: {
        metadata: { name },
        spec: {
          replicas: PODS_OF_ONE,
          selector: { matchLabels: { app: name } },
          template: { metadata: { labels: { app: name } }, spec },
        },
      },
      first: false,
    }),
  );
  const running = Array.from({ length: pods }, (_, i): SampleObject => {
    const app = apps[Math.floor(i / PODS_OF_ONE)];
    if (!app) throw new Error('no app for a pod');
    return {
      path: `/api/v1/namespaces/${app.namespace}/pods`,
      object: {
        metadata: {
          name: `${app.name}-6c9f5d-${i}`,
          labels: { app: app.name, 'pod-template-hash': '6c9f5d' },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: `${app.name}-6c9f5d`,
              uid: 'u',
              controller: true,
            },
          ],
        },
        spec: { ...app.spec, nodeName: `node-${i % NODES}`, automountServiceAccountToken: false },
      },
      first: false,
    };
  });
  // Pods are refused until their namespace has its account.
  return [
    ...first,
    ...nodes,
    ...accounts.map((each) => ({ ...each, first: true })),
    ...deployments,
    ...running,
  ];
}

function podSpec(index: number): object {
  const variables = Array.from({ length: 20 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value of setting ${i}`,
  }));
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 };
  const container = (name: string, more: object) => ({
    name,
    image: `example.org/shop/${name}:1.${index}.0`,
    args: ['--listen=:8080', '--log-level=info', '--config=/etc/app/config.yaml'],
    env: variables,
    ports: [{ containerPort: 8080 }],
    livenessProbe: probe,
    readinessProbe: probe,
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } },
    volumeMounts: [{ name: 'data', mountPath: '/var/data' }],
    ...more,
  });
  const onHost = index % 5 === 0;
  return {
    containers: [
      container('app', index % 7 === 0 ? { securityContext: { privileged: true } } : {}),
      container('sidecar', {}),
    ],
    volumes: [{ name: 'data', ...(onHost ? { hostPath: { path: '/opt/app' } } : { emptyDir: {} }) }],
  };
}
