/** What a first user of a cluster deploys: replicas with a volume each, behind a service. The image is the layer's. */
export function webWorkload(replicas: number): string {
  const container = {
    name: 'web',
    image: 'plinth.local/probe:0.1.0',
    args: ['serve', ':8080'],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, timeoutSeconds: 20 },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const labels = { app: 'web' };
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
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}
