/** Where the pod tries to write, and why a node refuses. */
export const REFUSED_FOLDERS = {
  /** Of the verified image: the kernel takes no write, and the pod's log says so. */
  image: '/usr',
  /** Writable, and of kinds that SELinux keeps from pods: the kernel's log says so. */
  labelled: ['/etc', '/var/lib'],
} as const;

/**
 * refusedWrites is a namespace where folders of the host may be mounted, and a pod in it that tries to write to some again
 * and again. Root in it is no privilege, so that SELinux holds it as any pod; its shell stays, so that it can be found.
 * @param image an image with bash and sleep
 */
export function refusedWrites(namespace: string, image: string): string {
  const folders = [REFUSED_FOLDERS.image, ...REFUSED_FOLDERS.labelled];
  // The shell itself opens the file: a program of its own would be gone when somebody asks whose refusal it was.
  const attempts = folders.map((folder) => `: > /host${folder}/plinth-was-here`);
  const nameOf = (folder: string) => folder.slice(1).replaceAll('/', '-');
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'writer', namespace },
      spec: {
        securityContext: { runAsUser: 0 },
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'writer',
            image,
            command: ['/bin/bash', '--norc', '-c'],
            // The kernel logs ten refusals in five seconds at most; more would push out those of others.
            args: [`while true; do ${attempts.join('; ')}; sleep 10; done`],
            volumeMounts: folders.map((folder) => ({ name: nameOf(folder), mountPath: `/host${folder}` })),
          },
        ],
        volumes: folders.map((path) => ({ name: nameOf(path), hostPath: { path, type: 'Directory' } })),
      },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}
