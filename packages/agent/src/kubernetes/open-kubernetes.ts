import { PlinthError } from '@plinth/base';
import type { NodeConsole } from '../console.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import type { ActKind, ActRecord, Plan } from './acts/act.ts';
import { type ActQueue, openActQueue } from './acts/act-queue.ts';
import type { ClusterSpec, NodeRole } from './cluster-spec.ts';
import { copyLayer } from './layers/copy-layer.ts';
import { chosenLayer, listLayers } from './layers/layer-store.ts';
import { openClusterView } from './node/cluster-view.ts';
import { type Member, readMember } from './node/member.ts';
import { API_SERVER_PORT } from './paths.ts';
import { type NodeParts, SHORT_TIMEOUT_MS, UNITS } from './plans/node-parts.ts';
import { bootstrapRequest, planBootstrap } from './plans/plan-bootstrap.ts';
import { joinRequest, planJoin } from './plans/plan-join.ts';
import { leaveRequest, planLeave } from './plans/plan-leave.ts';
import { planUpgrade, upgradeRequest } from './plans/plan-upgrade.ts';
import { writeNodeFile } from './plans/upgrade-backup.ts';
import type { NodeFacts } from './preconditions.ts';
import { systemdUnits } from './units/run-unit.ts';
import { gatedUnits } from './units/workloads-gate.ts';

/** The cluster this node is in, or is entering. */
export interface EnteredCluster {
  readonly role: NodeRole;
  readonly nodeAddress: string;
  /** host:port of API servers to begin with. */
  readonly apiServers: readonly string[];
}

/** ClusterLife is what runs beside the acts as long as the node is in a cluster: balancer, approver, renewal. */
export interface ClusterLife {
  /** Called when an act brings the node into a cluster, and at each start of a member. Called again, it changes nothing. */
  enter(cluster: EnteredCluster): void;
  /** The node has left. */
  leave(): Promise<void>;
}

export interface KubernetesParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly life: ClusterLife;
  readonly signal: AbortSignal;
  /** Told of each step of an act. */
  readonly onAct?: ((record: ActRecord) => void) | undefined;
  /** Fulfilled when workloads may start; default: at once. */
  readonly beforeWorkloads?: (() => Promise<void>) | undefined;
  /** Parts that tests bring their own of. */
  readonly node?: Partial<NodeParts>;
}

/** What the node wants to be, as far as it is known. */
export interface Standing {
  readonly membership: 'none' | 'pending' | 'member';
  readonly role?: NodeRole;
  readonly cluster?: ClusterSpec;
  readonly version?: string;
  readonly nodeAddress?: string;
}

/** Kubernetes on this node. */
export interface Kubernetes {
  readonly parts: NodeParts;
  readonly acts: ActQueue;
  readonly life: ClusterLife;
  readonly nodeId: string;
  facts(): Promise<NodeFacts>;
  standing(): Promise<Standing>;
}

const POLL_MS = 2_000;

/**
 * openKubernetes reads what is stored, goes on with the act that a restart has cut off, and starts the kubelet of a
 * member. @throws kubernetes/state-unreadable
 */
export async function openKubernetes(parts: KubernetesParts): Promise<Kubernetes> {
  const { sys, store, console, nodeName, nodeId, life, signal } = parts;
  const { beforeWorkloads = async () => {} } = parts;
  const node: NodeParts = {
    sys,
    store,
    nodeName,
    view: openClusterView(sys),
    layers: () => listLayers(sys),
    copyLayer: (layer) => copyLayer(sys, layer),
    chosenLayer: () => chosenLayer(),
    writeNodeFile,
    pollMs: POLL_MS,
    ...parts.node,
    units: gatedUnits(parts.node?.units ?? systemdUnits(sys), beforeWorkloads),
  };
  const acts = await openActQueue({ store, console, nowMs: sys.nowMs, signal, onAct: parts.onAct });
  const member = await readMember(store);
  const kubernetes: Kubernetes = {
    parts: node,
    acts,
    life,
    nodeId,
    facts: async () => ({
      member: await readMember(store),
      act: acts.current(),
      volatileBecause: store.volatileBecause,
    }),
    standing: async () => standingOf(await readMember(store), acts.current()),
  };
  const entering = enteringOf(acts.current());
  if (member?.state === 'member') life.enter(member);
  else if (entering) life.enter(entering);
  if (acts.current()?.state === 'running') acts.resume((kind, request) => planOf(node, kind, request));
  else if (member?.state === 'member') void startMember(node, console, member, signal);
  return kubernetes;
}

/** planOf makes the plan of a stored act anew. @throws kubernetes/state-unreadable */
export function planOf(node: NodeParts, kind: ActKind, request: unknown): Plan {
  try {
    switch (kind) {
      case 'bootstrap':
        return planBootstrap(node, bootstrapRequest.parse(request));
      case 'join':
        return planJoin(node, joinRequest.parse(request));
      case 'leave':
        leaveRequest.parse(request);
        return planLeave(node);
      case 'upgrade':
        return planUpgrade(node, upgradeRequest.parse(request));
    }
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/state-unreadable', `Cannot go on with the ${kind}`);
  }
}

/** Starts what a member runs. Both start by themselves at boot as well; a kubelet that runs stays as it is. */
async function startMember(
  { units }: NodeParts,
  console: NodeConsole,
  member: Member,
  signal: AbortSignal,
): Promise<void> {
  console.say(`kubernetes: ${member.role} of the cluster ${member.cluster.name}, version ${member.version}`);
  for (const unit of [UNITS.images, UNITS.kubelet]) {
    try {
      await units.run('start', unit, { timeoutMs: SHORT_TIMEOUT_MS, signal });
    } catch (reason) {
      if (signal.aborted) return;
      const { code, message, hint } = PlinthError.from(
        reason,
        'kubernetes/unit-failed',
        `Cannot start ${unit}`,
      );
      console.say(`kubernetes: ${message} [${code}]`);
      console.say(`kubernetes: ${hint}`);
      return;
    }
  }
  console.say('kubernetes: the kubelet runs');
}

/** The cluster an unfinished act leads into. */
function enteringOf(act: ActRecord | undefined): EnteredCluster | undefined {
  if (!act || act.state === 'done') return undefined;
  const join = joinRequest.safeParse(act.request);
  if (act.kind === 'join' && join.success) return join.data;
  const bootstrap = bootstrapRequest.safeParse(act.request);
  if (act.kind !== 'bootstrap' || !bootstrap.success) return undefined;
  const { nodeAddress } = bootstrap.data;
  return { role: 'control-plane', nodeAddress, apiServers: [`${nodeAddress}:${API_SERVER_PORT}`] };
}

function standingOf(member: Member | undefined, act: ActRecord | undefined): Standing {
  if (member?.state === 'member') return { ...member, membership: 'member' };
  if (!act || act.state === 'done' || act.state === 'reverted') return { membership: 'none' };
  const join = joinRequest.safeParse(act.request);
  if (act.kind === 'join' && join.success) return { ...join.data, membership: 'pending' };
  const bootstrap = bootstrapRequest.safeParse(act.request);
  if (act.kind === 'bootstrap' && bootstrap.success)
    return { ...bootstrap.data, role: 'control-plane', membership: 'pending' };
  return { membership: 'none' };
}
