import { z } from 'zod';
import type { KubeClient } from '../access/kube-client.ts';
import type { SelfTest, TestedNode } from './judge-nodes.ts';
import { SELF_TEST_LABEL, SELF_TEST_NAMESPACE, SELF_TEST_STEPS, type SelfTestStep } from './self-test-pod.ts';

const taintSchema = z.object({
  key: z.string(),
  effect: z.string(),
  value: z.string().optional(),
  timeAdded: z.string().optional(),
});
const nodesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), resourceVersion: z.string() }),
      spec: z.object({ taints: z.array(taintSchema).nullish() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      }),
    }),
  ),
});

const containerSchema = z.object({
  name: z.string(),
  state: z
    .object({
      terminated: z
        .object({ exitCode: z.number(), reason: z.string().nullish(), finishedAt: z.string().nullish() })
        .nullish(),
      waiting: z.object({ reason: z.string().nullish(), message: z.string().nullish() }).nullish(),
    })
    .nullish(),
});
type Container = z.infer<typeof containerSchema>;
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    creationTimestamp: z.string(),
  }),
  spec: z.object({ nodeName: z.string().default('') }),
  status: z.object({
    phase: z.string().nullish(),
    reason: z.string().nullish(),
    initContainerStatuses: z.array(containerSchema).nullish(),
    containerStatuses: z.array(containerSchema).nullish(),
  }),
});
const podsSchema = z.object({ items: z.array(podSchema) });

/** listNodes gives every node of the cluster. Errors: see KubeClient. */
export async function listNodes(client: KubeClient): Promise<TestedNode[]> {
  const { items } = await client.get('/api/v1/nodes?limit=5000', nodesSchema);
  return items.map(({ metadata, spec, status }) => ({
    ...metadata,
    taints: spec.taints ?? [],
    ready: (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  }));
}

/** listSelfTests gives every self-test that was begun. Errors: see KubeClient. */
export async function listSelfTests(client: KubeClient): Promise<SelfTest[]> {
  const path = `/api/v1/namespaces/${SELF_TEST_NAMESPACE}/pods?labelSelector=${SELF_TEST_LABEL}&limit=5000`;
  return (await client.get(path, podsSchema)).items.map(readSelfTest);
}

function readSelfTest({ metadata, spec, status }: z.infer<typeof podSchema>): SelfTest {
  const test = {
    podName: metadata.name,
    nodeName: spec.nodeName,
    nodeUid: metadata.labels[SELF_TEST_LABEL] ?? '',
  };
  if (status.phase === 'Succeeded') return { ...test, state: 'passed' };
  if (status.phase !== 'Failed') return { ...test, state: 'running' };
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const failed = containers.find(hasFailed) ?? containers.find(({ state }) => state?.waiting);
  return {
    ...test,
    state: 'failed',
    failedStep: stepOf(failed?.name),
    reason: reasonOf(failed, status.reason ?? ''),
    endedAtMs: lastEnd(containers) ?? Date.parse(metadata.creationTimestamp),
  };
}

function hasFailed({ state }: Container): boolean {
  return (state?.terminated?.exitCode ?? 0) !== 0;
}

function stepOf(name = ''): SelfTestStep | undefined {
  return Object.hasOwn(SELF_TEST_STEPS, name) ? (name as SelfTestStep) : undefined;
}

function reasonOf(container: Container | undefined, podReason: string): string {
  const { terminated, waiting } = container?.state ?? {};
  const exit = terminated ? `exit code ${terminated.exitCode}` : '';
  return (
    [podReason, terminated?.reason, exit, waiting?.reason].filter(Boolean).join(', ') || 'no reason given'
  );
}

function lastEnd(containers: readonly Container[]): number | undefined {
  const ends = containers.flatMap(({ state }) => {
    const endedAtMs = Date.parse(state?.terminated?.finishedAt ?? '');
    return Number.isNaN(endedAtMs) ? [] : [endedAtMs];
  });
  return ends.length === 0 ? undefined : Math.max(...ends);
}
