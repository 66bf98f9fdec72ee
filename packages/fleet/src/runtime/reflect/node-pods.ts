import { messageOf } from '@plinth/base';
import { listPages } from '@plinth/kube';
import { type PlacedPod, projectPod } from '../../view/project/project-core.ts';
import type { PodView } from '../../view/view.ts';
import { openReflector, type Reflector, type ReflectorParts } from './reflector.ts';

/** A candidate's pods that were listed longer ago are listed again while somebody asks for them; the drain looks at them anew. */
const STALE_MS = 120_000;
const FORGOTTEN_MS = 300_000;
/** Lists of candidates at the same time. */
const AT_ONCE = 4;

export interface NodePodsParts extends ReflectorParts {
  readonly nowMs: () => number;
  /** The pods of a node are known, or have changed. */
  changed(node: string): void;
}

interface Watched {
  readonly reflector: Reflector<PlacedPod>;
  readonly stop: AbortController;
}

/**
 * openNodePods knows the pods of the nodes somebody asks for, and of no others: of 150,000 pods a rollout looks at some hundreds. Nodes that
 * are being emptied are watched, those that may come next are listed now and then.
 */
export function openNodePods(parts: NodePodsParts, signal: AbortSignal) {
  const { connection, nowMs, changed, say } = parts;
  const byNode = new Map<string, readonly PodView[]>();
  const watched = new Map<string, Watched>();
  const listedAtMs = new Map<string, number>();
  const wantedAtMs = new Map<string, number>();
  const waiting = new Set<string>();
  let running = 0;
  const query = (node: string) => ({ fieldSelector: `spec.nodeName=${node}` });

  function watch(node: string): void {
    if (watched.has(node) || signal.aborted) return;
    const stop = new AbortController();
    let isTold = false;
    const tell = () => {
      if (isTold || stop.signal.aborted) return;
      isTold = true;
      // A list is many changes at once: one is enough.
      setImmediate(() => {
        isTold = false;
        if (stop.signal.aborted || !reflector.isSynced) return;
        byNode.set(node, [...reflector.items.values()]);
        changed(node);
      });
    };
    const spec = {
      ...{ path: '/api/v1/pods', query: query(node), project: projectPod },
      key: ({ namespace, name }: PlacedPod) => `${namespace}/${name}`,
      listed: tell,
      isStreamed: true,
    };
    const reflector = openReflector<PlacedPod>(spec, parts, tell);
    watched.set(node, { reflector, stop });
    byNode.delete(node);
    listedAtMs.delete(node);
    void reflector.run(AbortSignal.any([stop.signal, signal]));
  }

  function unwatch(node: string): void {
    watched.get(node)?.stop.abort();
    if (watched.delete(node)) byNode.delete(node);
  }

  async function list(node: string): Promise<void> {
    // Asked for again meanwhile, it is not listed twice.
    listedAtMs.set(node, nowMs());
    const pods: PodView[] = [];
    const options = { query: query(node), whenExpired: 'go-on' } as const;
    for await (const page of listPages(connection, '/api/v1/pods', options, signal))
      pods.push(...page.items.map(projectPod));
    if (watched.has(node)) return;
    byNode.set(node, pods);
    changed(node);
  }

  function begin(): void {
    for (const node of waiting) {
      if (running >= AT_ONCE || signal.aborted) return;
      waiting.delete(node);
      running++;
      list(node)
        .catch((reason: unknown) => {
          listedAtMs.delete(node);
          if (!signal.aborted) say(`pods of ${node}: ${messageOf(reason)}`);
        })
        .finally(() => {
          running--;
          begin();
        });
    }
  }

  return {
    byNode: byNode as ReadonlyMap<string, readonly PodView[]>,
    watched: watched as ReadonlyMap<string, unknown>,
    watch,
    unwatch,
    /** Nodes that may come next. Those that nobody has asked for in a while are forgotten: looks name some now and others then. */
    want(nodes: readonly string[]): void {
      for (const node of nodes) {
        wantedAtMs.set(node, nowMs());
        if (!watched.has(node) && nowMs() - (listedAtMs.get(node) ?? 0) > STALE_MS) waiting.add(node);
      }
      for (const [node, atMs] of wantedAtMs) {
        if (nowMs() - atMs <= FORGOTTEN_MS) continue;
        wantedAtMs.delete(node);
        listedAtMs.delete(node);
        if (!watched.has(node)) byNode.delete(node);
      }
      begin();
    },
  };
}
