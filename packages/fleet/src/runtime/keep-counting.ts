import { messageOf } from '@plinth/base';
import type { KubeConnection } from '@plinth/kube';
import type { NodeView, Requests } from '../view/view.ts';
import type { Wait } from './queue/wait.ts';
import { countRequests } from './reflect/count-requests.ts';

export interface CountingParts {
  readonly connection: KubeConnection;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Where sums are kept; nodes that are mirrored later take them from here. */
  readonly requests: Map<string, Requests>;
  /** Whether any policy looks at headroom, and everything is listed. */
  isNeeded(): boolean;
  changed(): void;
  readonly wait: Wait;
  say(text: string): void;
}

const EVERY_MS = 10 * 60_000;
const AGAIN_MS = 5_000;

/** keepCounting sums what the pods of each node ask for, now and then: it takes a list of all pods. Until the signal. */
export async function keepCounting(parts: CountingParts, signal: AbortSignal): Promise<void> {
  const { connection, nodes, requests, wait } = parts;
  while (!signal.aborted) {
    if (!parts.isNeeded()) {
      await wait(AGAIN_MS, signal);
      continue;
    }
    try {
      const sums = await countRequests(connection, signal);
      requests.clear();
      for (const node of nodes.values()) {
        const sum = sums.get(node.name) ?? { cpuMilli: 0, memoryBytes: 0, pods: 0 };
        requests.set(node.name, sum);
        // The mirror's own objects: nobody else changes them.
        (node as { requested: Requests | undefined }).requested = sum;
      }
      parts.changed();
      await wait(EVERY_MS, signal);
    } catch (reason) {
      if (!signal.aborted) parts.say(`requests: ${messageOf(reason)}`);
      await wait(AGAIN_MS, signal);
    }
  }
}
