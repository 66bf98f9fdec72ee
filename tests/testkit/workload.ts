const IMAGE = 'plinth.local/probe:0.1.0';

/** What a first user of a cluster deploys: replicas with a volume each, behind a service. The image is the layer's. */
export function webWorkload(replicas: number, { disruptionBudget = false } = {}): string {
  const container = {
    name: 'web',
    image: IMAGE,
    args: ['serve', ':8080'],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, timeoutSeconds: 20 },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    // It answers until all have heard that it goes.
    ...(disruptionBudget && { lifecycle: { preStop: { sleep: { seconds: 20 } } } }),
  };
  const labels = { app: 'web' };
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: { fsGroup: 65532 },
            containers: [container],
            volumes: [{ name: 'data', emptyDir: {} }],
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: labels },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
    ...(disruptionBudget ? [budget] : []),
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}

/** A pod on one node that asks again and again, and prints what failed. */
export function watcher(nodeName: string, url: string): string {
  const container = { name: 'watch', image: IMAGE, args: ['watch', url] };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'watcher' },
    spec: { nodeName, tolerations: [{ operator: 'Exists' }], containers: [container] },
  });
}
