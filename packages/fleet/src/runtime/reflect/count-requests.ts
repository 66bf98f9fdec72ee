import { setImmediate as turn } from 'node:timers/promises';
import { type KubeConnection, listPages } from '@plinth/kube';
import { podRequests } from '../../view/project/project-core.ts';
import { rawAt, textOf } from '../../view/project/raw.ts';
import type { Requests } from '../../view/view.ts';

/**
 * countRequests sums what the pods of each node ask for. It reads all pods once, page by page, and keeps three numbers a node. Pods that
 * have ended take nothing.
 */
export async function countRequests(
  connection: KubeConnection,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Requests>> {
  const sums = new Map<string, { cpuMilli: number; memoryBytes: number; pods: number }>();
  const query = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };
  const options = { query, whenExpired: 'go-on' } as const;
  for await (const { items } of listPages(connection, '/api/v1/pods', options, signal)) {
    for (const raw of items) {
      const node = textOf(rawAt(raw, 'spec')['nodeName']);
      if (node === '') continue;
      const { cpuMilli, memoryBytes, pods } = podRequests(raw);
      const sum = sums.get(node) ?? { cpuMilli: 0, memoryBytes: 0, pods: 0 };
      sum.cpuMilli += cpuMilli;
      sum.memoryBytes += memoryBytes;
      sum.pods += pods;
      sums.set(node, sum);
    }
    await turn();
  }
  return sums;
}
