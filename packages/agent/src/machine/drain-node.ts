import { PlinthError } from '@plinth/base';
import { type DrainPod, namesOfPods, planDrain } from '@plinth/updates';
import { z } from 'zod';
import { isRefusal, type KubeClient } from '../kubernetes/access/kube-client.ts';
import { pause, type Sleep } from '../repeat.ts';
import { podsSchema } from './drain-pods.ts';

/** Marks a node that takes no pods because of an act on its machine; kubectl shows it to people. */
const ANNOTATION = 'plinth.dev/drained-for';
const LIST_LIMIT = 1000;
const POLL_MS = 2_000;

const nodeSchema = z.object({
  spec: z.object({ unschedulable: z.boolean().default(false) }).default({ unschedulable: false }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    nodeInfo: z.object({ bootID: z.string().default('') }).default({ bootID: '' }),
  }),
});

/**
 * NodeDrain moves the pods of this node away, with the kubelet's own rights: NodeRestriction lets a node change its own
 * object and evict its own pods, and nothing of other nodes. So it works the same on workers and control planes.
 */
export interface NodeDrain {
  /** Whether a person (or anything else) has taken the node out of service already. */
  isCordoned(): Promise<boolean>;
  /** @param purpose "reboot" */
  cordon(purpose: string): Promise<void>;
  uncordon(): Promise<void>;
  /** Whether the kubelet of this very boot reports the node ready. */
  isReady(bootId: string): Promise<boolean>;
  /** Evicts, respecting disruption budgets, until no pod is left. @throws machine/drain-failed */
  empty(options: EmptyOptions): Promise<void>;
}

export interface EmptyOptions {
  readonly evictUnmanaged: boolean;
  /** Since the boot began. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  note(text: string): void;
}

export interface NodeDrainParts {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Milliseconds since the boot began: a clock that is set does not move it. */
  upMs(): Promise<number>;
  readonly sleep?: Sleep;
}

/** openNodeDrain gives the drain of one node. Errors of the API server: see KubeClient. */
export function openNodeDrain({ client, nodeName, upMs, sleep = pause }: NodeDrainParts): NodeDrain {
  const path = `/api/v1/nodes/${encodeURIComponent(nodeName)}`;
  const node = () => client.get(path, nodeSchema);
  const pods = async (): Promise<readonly DrainPod[]> => {
    // A node may list pods only so.
    const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${nodeName}`, limit: `${LIST_LIMIT}` });
    return (await client.get(`/api/v1/pods?${query}`, podsSchema)).items;
  };

  async function empty({ evictUnmanaged, deadlineMs, signal, note }: EmptyOptions): Promise<void> {
    let trouble = '';
    let open = 'nobody could tell which';
    while (!signal.aborted) {
      try {
        const { evict, leaving, unmanaged } = planDrain(await pods(), {
          ...{ evictUnmanaged, evictEmptyDir: true },
        });
        if (unmanaged.length > 0)
          throw failed(`no controller starts ${namesOfPods(unmanaged)} elsewhere, expected pods that may go`);
        if (evict.length + leaving.length === 0) return;
        open = namesOfPods([...evict, ...leaving]);
        note(`${evict.length + leaving.length} pods to go: ${open}`);
        trouble = await evictAll(client, evict);
      } catch (reason) {
        // The API server may be away for a moment; what it refuses for good does not get better.
        if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
        trouble = reason.message;
      }
      if ((await upMs()) >= deadlineMs)
        throw failed(`the time is over and pods are still there (${open})${trouble && `; ${trouble}`}`);
      await sleep(POLL_MS, signal);
    }
    throw failed('plinthd ended');
  }

  return {
    isCordoned: async () => (await node()).spec.unschedulable,
    cordon: (purpose) =>
      client.patch(path, {
        metadata: { annotations: { [ANNOTATION]: purpose } },
        spec: { unschedulable: true },
      }),
    uncordon: () =>
      client.patch(path, {
        metadata: { annotations: { [ANNOTATION]: null } },
        spec: { unschedulable: null },
      }),
    async isReady(bootId) {
      const { conditions, nodeInfo } = (await node()).status;
      return (
        nodeInfo.bootID === bootId &&
        conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
      );
    },
    empty,
  };
}

/** Asks each pod to go; gives why the last that may not go yet may not, "" when all may. */
async function evictAll(client: KubeClient, pods: readonly DrainPod[]): Promise<string> {
  let trouble = '';
  for (const { name, namespace, uid } of pods) {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
    try {
      await client.create(path, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        // Another pod may have the name by now.
        deleteOptions: { preconditions: { uid } },
      });
    } catch (reason) {
      // 404: it has gone; 409: it was replaced, the next round sees; 429: a disruption budget holds it for now.
      if (isRefusal(reason, 404) || isRefusal(reason, 409)) continue;
      if (!isRefusal(reason, 429)) throw reason;
      trouble = reason instanceof Error ? reason.message : '';
    }
  }
  return trouble;
}

function failed(state: string): PlinthError {
  return new PlinthError('machine/drain-failed', `Cannot drain the node: ${state}`);
}
