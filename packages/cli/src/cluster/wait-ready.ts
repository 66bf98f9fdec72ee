import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError, type Progress } from '@plinth/base';
import type { KubernetesNode } from './kubernetes-nodes.ts';

const ASK_EVERY_MS = 2_000;

/**
 * waitReady asks an API server until all nodes named are ready, and gives what it says of them. An API server that does
 * not answer is asked again.
 * @throws cluster/not-ready after the time, with the reasons; cli/interrupted
 */
export async function waitReady(
  names: readonly string[],
  list: () => Promise<readonly KubernetesNode[]>,
  timeoutMs: number,
  signal: AbortSignal,
  progress: Progress,
  askEveryMs: number = ASK_EVERY_MS,
): Promise<readonly KubernetesNode[]> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const { nodes, open } = await look(names, list);
    if (open.length === 0) return nodes;
    progress.note(open.join('; '));
    if (performance.now() >= deadlineMs) {
      throw new PlinthError(
        'cluster/not-ready',
        `Cannot use the cluster yet: ${open.join('; ')}, expected all nodes ready`,
        { retryable: true },
      );
    }
    await sleep(askEveryMs, undefined, { signal }).catch(() => {
      throw new PlinthError('cli/interrupted', 'Cannot wait for the nodes: interrupted');
    });
  }
}

async function look(names: readonly string[], list: () => Promise<readonly KubernetesNode[]>) {
  try {
    const nodes = await list();
    return { nodes, open: openReasons(names, nodes) };
  } catch (reason) {
    if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
    return { nodes: [], open: [reason.message] };
  }
}

/** openReasons says for each node that is not ready why; pure. */
export function openReasons(names: readonly string[], nodes: readonly KubernetesNode[]): string[] {
  const known = new Map(nodes.map((node) => [node.name, node]));
  return names.flatMap((name) => {
    const node = known.get(name);
    if (!node) return [`${name}: not registered`];
    return node.ready ? [] : [`${name}: ${node.reason || 'not ready'}`];
  });
}
