import { isRefusal, type KubeClient } from '../access/kube-client.ts';
import { listNodes, listSelfTests } from './cluster-view.ts';
import { judgeNodes, type SelfTestAction } from './judge-nodes.ts';
import { renderSelfTestPod, SELF_TEST_NAMESPACE, SELF_TEST_STEPS } from './self-test-pod.ts';

export interface SelfTestOptions {
  readonly client: KubeClient;
  /** Reference of the layer's probe. */
  probeImage(): Promise<string>;
  readonly nowMs: () => number;
  /** Tells people what was decided. */
  readonly say: (line: string) => void;
}

const PODS = `/api/v1/namespaces/${SELF_TEST_NAMESPACE}/pods`;

/**
 * openSelfTests gives a function that looks at the cluster once and does what is due: it is meant to be called every
 * few seconds on each control plane. Two of them at work do no harm: a pod has one name for each node, and a taint is
 * taken off only from the node as it was read.
 * Errors: see KubeClient.
 */
export function openSelfTests(options: SelfTestOptions): () => Promise<void> {
  /** Failures already told, by pod and its end. */
  const told = new Set<string>();
  return async () => {
    const { client, nowMs } = options;
    const [nodes, tests] = [await listNodes(client), await listSelfTests(client)];
    for (const action of judgeNodes(nodes, tests, nowMs())) {
      try {
        await act(action, options, told);
      } catch (reason) {
        // Another control plane was faster, or the node has changed since: the next look decides anew.
        if (!isRefusal(reason, 409)) throw reason;
      }
    }
  };
}

async function act(action: SelfTestAction, options: SelfTestOptions, told: Set<string>): Promise<void> {
  const { client, say } = options;
  if (action.kind === 'clear') return client.remove(`${PODS}/${action.podName}`);
  const { name: nodeName, uid: nodeUid } = action.node;
  if (action.kind === 'start') {
    const probeImage = await options.probeImage();
    await client.create(PODS, renderSelfTestPod({ nodeName, nodeUid, probeImage }));
    return say(`node ${nodeName}: self-test begins`);
  }
  if (action.kind === 'admit') {
    const { resourceVersion } = action.node;
    await client.patch(`/api/v1/nodes/${nodeName}`, {
      metadata: { resourceVersion },
      spec: { taints: action.remaining },
    });
    return say(`node ${nodeName}: self-test passed, it takes workloads`);
  }
  const { test } = action;
  const key = `${test.podName} ${test.endedAtMs}`;
  if (told.has(key)) return;
  if (told.size > 1000) told.clear();
  told.add(key);
  const step =
    test.failedStep === undefined ? '' : ` at "${test.failedStep}" (${SELF_TEST_STEPS[test.failedStep]})`;
  const message = `self-test failed${step}: ${test.reason ?? 'no reason given'}; the node takes no workloads and is tried again`;
  say(`node ${nodeName}: ${message}`);
  await client.create('/api/v1/namespaces/default/events', nodeEvent(action.node, message, options.nowMs()));
}

/** An event at the node, which "kubectl describe node" shows. */
function nodeEvent({ name, uid }: { name: string; uid: string }, message: string, nowMs: number): object {
  const time = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.self-test-`, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Node', name, uid },
    type: 'Warning',
    reason: 'SelfTestFailed',
    message,
    source: { component: 'plinthd' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
