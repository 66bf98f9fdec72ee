import { type KubeConnection, listPages } from '@plinth/kube';
import { podRequests, projectBudget, projectNode, projectPod } from './project/project-core.ts';
import { type OwnKind, ownKinds } from './project/project-own.ts';
import type { FleetView, PodView, Requests } from './view.ts';

/** A view for a person to look at, and what of the cluster could not be read into it. */
export interface ReadFleet {
  readonly view: FleetView;
  /** Objects that do not follow their schema, "rollouts/a": an older or newer program wrote them. */
  readonly unreadable: readonly string[];
}

export interface ReadFleetOptions {
  readonly nowMs: number;
  /** Whether pods and budgets are read too; without, nothing is said of drains and headroom. */
  readonly withPods: boolean;
}

/**
 * readFleet reads what the operator decides on, once. Nothing is decided on it that is carried out: a view read in several
 * lists is of no one moment. What a health gate or etcd said is not known from outside the operator, so it is left open.
 * @throws kube/not-found when the kinds are not installed; as askKube
 */
export async function readFleet(
  connection: KubeConnection,
  { nowMs, withPods }: ReadFleetOptions,
  signal: AbortSignal,
): Promise<ReadFleet> {
  const unreadable: string[] = [];
  const list = async <T>(path: string, project: (raw: unknown) => T | undefined): Promise<T[]> => {
    const found: T[] = [];
    for await (const { items } of listPages(connection, path, { whenExpired: 'go-on' }, signal))
      for (const item of items) {
        const read = project(item);
        if (read === undefined) unreadable.push(`${path.split('/').at(-1)}/${nameOf(item)}`);
        else found.push(read);
      }
    return found;
  };
  const own = async <Spec, Status>({ path, project }: OwnKind<Spec, Status>) =>
    byName(await list(path, project));
  const policies = await own(ownKinds.policies);
  const pods = withPods ? await readPods(connection, signal) : undefined;
  const nodes = (await list('/api/v1/nodes', projectNode)).map((node) => ({
    ...node,
    requested: pods && (pods.requested.get(node.name) ?? NO_REQUESTS),
  }));
  const view: FleetView = {
    nowMs,
    policies,
    releases: await own(ownKinds.releases),
    rollouts: await own(ownKinds.rollouts),
    windows: await own(ownKinds.windows),
    gates: await own(ownKinds.gates),
    ledgers: await own(ownKinds.ledgers),
    nodeUpdates: await own(ownKinds.nodeUpdates),
    nodes: byName(nodes),
    budgets: withPods ? await list('/apis/policy/v1/poddisruptionbudgets', projectBudget) : [],
    pods: new Map(pods && nodes.map(({ name }) => [name, pods.byNode.get(name) ?? []])),
    ...{ gateResults: new Map(), attachments: new Map(), evictionTries: new Map() },
    ...{ etcd: undefined, leaderNode: '', isSynced: true },
  };
  return { view, unreadable };
}

const NO_REQUESTS: Requests = { cpuMilli: 0, memoryBytes: 0, pods: 0 };

/** All pods, by the node they are on, cut down as they come; those that ended take nothing and move nowhere. */
async function readPods(connection: KubeConnection, signal: AbortSignal) {
  const byNode = new Map<string, PodView[]>();
  const requested = new Map<string, Requests>();
  const query = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };
  const options = { query, whenExpired: 'go-on' } as const;
  for await (const { items } of listPages(connection, '/api/v1/pods', options, signal))
    for (const item of items) {
      const pod = projectPod(item);
      if (pod.node === '') continue;
      const onNode = byNode.get(pod.node);
      if (onNode === undefined) byNode.set(pod.node, [pod]);
      else onNode.push(pod);
      const [sum, more] = [requested.get(pod.node) ?? NO_REQUESTS, podRequests(item)];
      requested.set(pod.node, {
        cpuMilli: sum.cpuMilli + more.cpuMilli,
        memoryBytes: sum.memoryBytes + more.memoryBytes,
        pods: sum.pods + more.pods,
      });
    }
  return { byNode, requested };
}

function byName<T extends { readonly name: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((each) => [each.name, each]));
}

function nameOf(item: unknown): string {
  return projectNode(item).name;
}
