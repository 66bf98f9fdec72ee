import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, nodeSys, openKubeClient, readAdminCredentials } from '@plinth/agent/testing';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { interrupted } from './interrupted.ts';

/** The workload that is waited for: one pod of a Deployment, as people begin with. */
export interface FirstPod {
  /** Container image, with a program that waits when it is told "wait". */
  readonly image: string;
}

/** What the cluster itself says about when things happened: whole seconds, in milliseconds by the clock of this computer. */
export interface ClusterTimes {
  readonly nodeRegistered: number;
  readonly nodeReady: number;
  readonly podCreated: number;
  readonly podRunning: number;
}

/** Looks at the API server of one machine through the port of this computer. */
export interface ClusterObserver extends Disposable {
  createPod(pod: FirstPod): Promise<void>;
  /** Waits until a pod runs whose container none of `known` is; gives its container too. */
  podRunning(
    known: ReadonlySet<string>,
  ): Promise<{ readonly times: ClusterTimes; readonly container: string }>;
  /** What the kubelet says is in use on its node, without what the kernel gives back at once. */
  memoryBytes(): Promise<number>;
  /** The same cluster at another port: a machine that starts again may get another one. */
  at(port: number): Promise<ClusterObserver>;
}

const ASK_EVERY_MS = 500;
const TIMEOUT_MS = 30 * 60_000;
const CALL_TIMEOUT_MS = 60_000;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const NAME = 'first';

const time = z.string().transform((text) => Date.parse(text));
const nodesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), creationTimestamp: time }),
      status: z.object({
        conditions: z
          .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: time }))
          .default([]),
      }),
    }),
  ),
});
const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ creationTimestamp: time, deletionTimestamp: z.string().optional() }),
      status: z.object({
        phase: z.string().default(''),
        containerStatuses: z
          .array(
            z.object({
              containerID: z.string().default(''),
              state: z.object({ running: z.object({ startedAt: time }).optional() }),
            }),
          )
          .default([]),
      }),
    }),
  ),
});
const summarySchema = z.object({ node: z.object({ memory: z.object({ workingSetBytes: z.number() }) }) });

/** untilReady waits until an API server answers that it is ready; anyone may ask that. */
export function untilReady(port: number): Promise<void> {
  return until(`the API server on port ${port}`, async () =>
    (await askReady(port)).status === 200 ? true : undefined,
  ).then(() => {});
}

/** @param kubeconfig text with the administrator's certificate; its server is replaced. `scratch` receives it. */
export async function observeCluster(
  port: number,
  kubeconfig: string,
  scratch: string,
): Promise<ClusterObserver> {
  const path = join(scratch, `admin-${port}.conf`);
  await writeFile(path, kubeconfig, { mode: 0o600 });
  const endpoint = { ...(await readAdminCredentials(nodeSys(), path)), host: '127.0.0.1', port };
  const client = openKubeClient({
    endpoint: async () => endpoint,
    timeoutMs: CALL_TIMEOUT_MS,
    signal: interrupted,
  });
  return {
    createPod: ({ image }) =>
      until('the Deployment', async () => {
        await client.create(DEPLOYMENTS, deployment(image));
        return true;
      }).then(() => {}),
    podRunning: (known) =>
      until('the first pod', async () => {
        const found = await findRunning(client, known);
        return found && { ...found, times: shifted(found.times, (await askReady(port)).aheadMs) };
      }),
    async memoryBytes() {
      const { items } = await client.get('/api/v1/nodes', nodesSchema);
      const path = `/api/v1/nodes/${items[0]?.metadata.name}/proxy/stats/summary?only_cpu_and_memory=true`;
      const summary = await until('the statistics of the kubelet', () => client.find(path, summarySchema));
      return summary.node.memory.workingSetBytes;
    },
    at: (other) => observeCluster(other, kubeconfig, scratch),
    [Symbol.dispose]: () => client.close(),
  };
}

async function findRunning(client: KubeClient, known: ReadonlySet<string>) {
  const pods = await client.get(`/api/v1/namespaces/default/pods?labelSelector=app%3D${NAME}`, podsSchema);
  for (const { metadata, status } of pods.items) {
    const [container] = status.containerStatuses;
    const startedAt = container?.state.running?.startedAt;
    if (startedAt === undefined || known.has(container?.containerID ?? '')) continue;
    if (status.phase !== 'Running' || metadata.deletionTimestamp !== undefined) continue;
    const { items } = await client.get('/api/v1/nodes', nodesSchema);
    const ready = items[0]?.status.conditions.find(({ type }) => type === 'Ready');
    if (!items[0] || ready?.status !== 'True') return undefined;
    return {
      container: container?.containerID ?? '',
      times: {
        nodeRegistered: items[0].metadata.creationTimestamp,
        nodeReady: ready.lastTransitionTime,
        podCreated: metadata.creationTimestamp,
        podRunning: startedAt,
      },
    };
  }
  return undefined;
}

function deployment(image: string): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME },
    spec: {
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: NAME, image, imagePullPolicy: 'Never', args: ['wait'] }],
        },
      },
    },
  };
}

/** Asks again while the answer is undefined or an error that may pass; an API server refuses some things at first. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  let last: unknown = 'nothing was said';
  while (performance.now() < deadlineMs) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (reason) {
      interrupted.throwIfAborted();
      last = reason;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal: interrupted });
  }
  throw new PlinthError('vm/api-timeout', `Cannot time ${what}: ${String(last)}`);
}

/** A machine that is starved of processors may have fallen behind. */
function shifted(times: ClusterTimes, aheadMs: number): ClusterTimes {
  const { nodeRegistered, nodeReady, podCreated, podRunning } = times;
  return {
    nodeRegistered: nodeRegistered - aheadMs,
    nodeReady: nodeReady - aheadMs,
    podCreated: podCreated - aheadMs,
    podRunning: podRunning - aheadMs,
  };
}

/** Also tells how far the clock of the API server is ahead of this computer's; it says whole seconds. */
function askReady(port: number): Promise<{ readonly status: number; readonly aheadMs: number }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false };
    request({ ...options, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) }, (answer) => {
      answer.resume();
      const saidMs = Date.parse(answer.headers.date ?? '') + 500;
      resolve({ status: answer.statusCode ?? 0, aheadMs: saidMs - Date.now() });
    })
      .on('error', reject)
      .end();
  });
}
