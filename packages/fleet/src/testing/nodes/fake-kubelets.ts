import { setTimeout as sleep } from 'node:timers/promises';
import { askKube, type KubeConnection } from '@plinth/kube';
import { waitForReal } from '../../runtime/queue/wait.ts';
import { openReflector } from '../../runtime/reflect/reflector.ts';
import { rawAt, textOf } from '../../view/project/raw.ts';

/** A node as the API server is told of it. */
export interface KubeletState {
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly isReady: boolean;
  readonly kubeletVersion: string;
}

/** createNode registers a node as a kubelet does. @returns its UID */
export async function createNode(
  connection: KubeConnection,
  state: KubeletState,
  signal: AbortSignal,
): Promise<string> {
  const body = {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: state.name, labels: state.labels } },
    status: statusOf(state),
  };
  const made = await askKube(connection, { method: 'POST', path: '/api/v1/nodes', body }, signal);
  return textOf(rawAt(made, 'metadata')['uid']);
}

/** reportNode writes the status of a node as a kubelet does after a change. */
export async function reportNode(
  connection: KubeConnection,
  state: KubeletState,
  signal: AbortSignal,
): Promise<void> {
  const asked = {
    ...({ method: 'PATCH', path: `/api/v1/nodes/${state.name}/status` } as const),
    ...{ contentType: 'application/strategic-merge-patch+json', body: { status: statusOf(state) } },
  };
  await askKube(connection, asked, signal);
}

function statusOf({ address, bootId, isReady, kubeletVersion }: KubeletState): object {
  const now = new Date().toISOString();
  const resources = { cpu: '8', memory: '32Gi', pods: '110' };
  const reason = isReady ? 'KubeletReady' : 'KubeletNotReady';
  const times = { lastHeartbeatTime: now, lastTransitionTime: now };
  return {
    ...{ capacity: resources, allocatable: resources, addresses: [{ type: 'InternalIP', address }] },
    conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', reason, message: reason, ...times }],
    nodeInfo: {
      ...{ machineID: '', systemUUID: '', bootID: bootId, kernelVersion: '6.12.0', osImage: 'Plinth' },
      ...{ containerRuntimeVersion: 'containerd://2.3.0', kubeletVersion, kubeProxyVersion: '' },
      ...{ operatingSystem: 'linux', architecture: 'amd64' },
    },
  };
}

/** createPod puts a running pod of a ReplicaSet on a node; there is no scheduler. */
export async function createPod(
  connection: KubeConnection,
  { name, node, app }: { readonly name: string; readonly node: string; readonly app: string },
  signal: AbortSignal,
): Promise<void> {
  const path = '/api/v1/namespaces/default/pods';
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: `rs-${app}`, controller: true };
  const body = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name, namespace: 'default', labels: { app }, ownerReferences: [owner] },
    spec: {
      ...{ nodeName: node, terminationGracePeriodSeconds: 1, automountServiceAccountToken: false },
      containers: [
        { name: 'a', image: 'example/a', resources: { requests: { cpu: '100m', memory: '64Mi' } } },
      ],
    },
  };
  await askKube(connection, { method: 'POST', path, body }, signal);
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const patch = { contentType: 'application/merge-patch+json', body: { status } };
  await askKube(connection, { method: 'PATCH', path: `${path}/${name}/status`, ...patch }, signal);
}

interface EndingPod {
  readonly path: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly isEnding: boolean;
}

/** endPods plays the kubelets' part in the end of pods: those that are to go are gone a little later. Runs until the signal. */
export async function endPods(
  connection: KubeConnection,
  afterMs: () => number,
  signal: AbortSignal,
): Promise<void> {
  const end = async (path: string) => {
    await sleep(afterMs(), undefined, { ref: false });
    if (!signal.aborted)
      await connection
        .call({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } }, signal)
        .catch(() => undefined);
  };
  const reflector = openReflector<EndingPod>(
    {
      path: '/api/v1/pods',
      key: ({ path }) => path,
      project: (raw) => {
        const metadata = rawAt(raw, 'metadata');
        return {
          path: `/api/v1/namespaces/${textOf(metadata['namespace'])}/pods/${textOf(metadata['name'])}`,
          ...{ uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) },
          isEnding: metadata['deletionTimestamp'] !== undefined,
        };
      },
    },
    { connection, wait: waitForReal, random: Math.random, say: () => undefined },
    (path, now, before) => {
      if (now?.isEnding && !before?.isEnding) void end(path);
    },
  );
  await reflector.run(signal);
}
