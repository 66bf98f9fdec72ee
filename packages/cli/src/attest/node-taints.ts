import { PlinthError } from '@plinth/base';
import { askKube, type KubeConnection, listPages } from '@plinth/kube';
import { z } from 'zod';
import type { TaintedNode } from './plan-taints.ts';

/** On nodes that did not prove what they booted. New pods stay away; those that run are left alone. */
export const TAINT = { key: 'plinth.dev/unattested', effect: 'NoSchedule' } as const;

const NODES = '/api/v1/nodes';
const ATTEMPTS = 3;

const nodeSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), resourceVersion: z.string() }),
  spec: z
    .looseObject({
      taints: z.array(z.looseObject({ key: z.string(), timeAdded: z.string().optional() })).default([]),
    })
    .prefault({}),
});

/** listTaintedNodes lists the nodes of a cluster with whether they have the taint. @throws kube/… */
export async function listTaintedNodes(
  connection: KubeConnection,
  signal: AbortSignal,
): Promise<readonly TaintedNode[]> {
  const nodes: TaintedNode[] = [];
  for await (const page of listPages(connection, NODES, {}, signal)) {
    for (const item of page.items) {
      const { metadata, spec } = read(item);
      const taint = spec.taints.find(({ key }) => key === TAINT.key);
      const taintedAtMs = Date.parse(taint?.timeAdded ?? '');
      nodes.push({
        ...{ name: metadata.name, tainted: taint !== undefined },
        ...(Number.isFinite(taintedAtMs) && { taintedAtMs }),
      });
    }
  }
  return nodes;
}

/** setTaint gives a node the taint or takes it; whatever else changed on the node meanwhile stays. @throws kube/… */
export async function setTaint(
  connection: KubeConnection,
  name: string,
  wanted: boolean,
  signal: AbortSignal,
): Promise<void> {
  const path = `${NODES}/${encodeURIComponent(name)}`;
  for (let attempt = 1; ; attempt++) {
    const { metadata, spec } = read(await askKube(connection, { method: 'GET', path }, signal));
    const others = spec.taints.filter(({ key }) => key !== TAINT.key);
    const body = {
      metadata: { resourceVersion: metadata.resourceVersion },
      spec: { taints: wanted ? [...others, { ...TAINT, timeAdded: wholeSeconds(Date.now()) }] : others },
    };
    const contentType = 'application/merge-patch+json';
    try {
      await askKube(connection, { method: 'PATCH', path, body, contentType }, signal);
      return;
    } catch (reason) {
      // Kubelets and controllers write to nodes all the time: read what is there now, and try again.
      const conflict = reason instanceof PlinthError && reason.code === 'kube/conflict';
      if (!conflict || attempt === ATTEMPTS) throw reason;
    }
  }
}

function read(item: unknown): z.infer<typeof nodeSchema> {
  const parsed = nodeSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new PlinthError('kube/bad-answer', 'Cannot read a node: the answer is no Node, expected one');
}

/** A time as Kubernetes writes it. */
function wholeSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
