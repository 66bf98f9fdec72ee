import {
  ConfigService,
  EtcdService,
  HotLayerService,
  KubernetesService,
  MachineService,
  NodeService,
  UpdateService,
} from '@plinth/api';
import { type ServedNodes, serveManyNodes } from '@plinth/api/testing';
import { askKube, type KubeConnection } from '@plinth/kube';
import { PEERS } from '../../install/names.ts';
import { createNode, createPod, endPods, type KubeletState, reportNode } from './fake-kubelets.ts';
import { type Reboot, SlowMachine, type SlowMachineTimes, type SlowSystem } from './slow-machine.ts';

export interface FakeFleetOptions {
  readonly connection: KubeConnection;
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly zones: number;
  /** Port that all nodes answer on, each at an address of its own. */
  readonly port: number;
  readonly systems: readonly [SlowSystem, ...SlowSystem[]];
  readonly kubernetesVersion: string;
  /** Serial of the hot layer in their repository. */
  readonly newestHotLayer?: number;
  /** Versions of Kubernetes that nodes have a layer of besides. */
  readonly layers?: readonly string[];
  readonly times: SlowMachineTimes;
  readonly signal: AbortSignal;
  /** A node is about to end its boot. */
  started?(reboot: Reboot, nodeUid: string): void;
  /** Calls at the same time while it is made. */
  readonly atOnce?: number;
}

export interface FakeFleet extends AsyncDisposable {
  readonly served: ServedNodes;
  readonly machines: ReadonlyMap<string, SlowMachine>;
  reboots(): readonly Reboot[];
}

const SERVICES = [
  NodeService,
  UpdateService,
  KubernetesService,
  EtcdService,
  MachineService,
  ConfigService,
  HotLayerService,
];

/** startFakeFleet makes nodes at an API server, with pods, and answers as their plinthd. Its nodes have the label "fleet=fake". */
export async function startFakeFleet(options: FakeFleetOptions): Promise<FakeFleet> {
  const { connection, signal, systems, port, kubernetesVersion, times } = options;
  const machines = new Map<string, SlowMachine>();
  const uids = new Map<string, string>();
  const byAddress = new Map<string, SlowMachine>();
  const states = new Map<string, KubeletState>();
  const all = new Map(systems.map((system) => [system.version, system]));
  const changed = (machine: SlowMachine) => {
    const { name, bootId, isUp } = machine;
    const state = states.get(name);
    if (!state) return;
    if (!isUp) served.hangUp(state.address);
    const now = { ...state, bootId, isReady: isUp, kubeletVersion: `v${machine.kubernetes}` };
    states.set(name, now);
    // A kubelet that ends says so, and so does one that is back.
    reportNode(connection, now, signal).catch(() => undefined);
  };
  for (let index = 0; index < options.nodes; index++) {
    const name = `node-${String(index).padStart(5, '0')}`;
    const address = `127.10.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const machine = new SlowMachine({
      name,
      systems: all,
      first: systems[0],
      kubernetesVersion,
      ...(options.layers && { layers: options.layers }),
      ...(options.newestHotLayer !== undefined && { newestHotLayer: options.newestHotLayer }),
      times,
      changed,
      started: (reboot) => options.started?.(reboot, uids.get(reboot.node) ?? ''),
    });
    machines.set(name, machine);
    byAddress.set(address, machine);
    const labels = { fleet: 'fake', 'topology.kubernetes.io/zone': `zone-${index % options.zones}` };
    states.set(name, {
      name,
      address,
      labels,
      bootId: machine.bootId,
      isReady: true,
      kubeletVersion: kubernetesVersion,
    });
  }
  const served = await serveManyNodes([...byAddress.keys()], port, SERVICES, (address) => {
    const machine = byAddress.get(address);
    return machine?.isUp ? machine.methods : undefined;
  });
  try {
    await giveAccount(connection, signal);
    await publishPeers(connection, served.nodeId, [...states.values()], signal);
    await inTurns([...states.values()], options.atOnce ?? 32, async (state) => {
      uids.set(state.name, await createNode(connection, state, signal));
      for (let pod = 0; pod < options.podsPerNode; pod++)
        await createPod(
          connection,
          { name: `${state.name}-${pod}`, node: state.name, app: `app-${pod}` },
          signal,
        );
    });
  } catch (reason) {
    await served[Symbol.asyncDispose]();
    throw reason;
  }
  const stop = new AbortController();
  const ending = endPods(connection, () => 100 + Math.random() * 400, AbortSignal.any([signal, stop.signal]));
  return {
    ...{ served, machines },
    reboots: () => [...machines.values()].flatMap(({ reboots }) => reboots),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ending;
      await served[Symbol.asyncDispose]();
    },
  };
}

/** The controller that makes it does not run: pods are not let in without it. */
async function giveAccount(connection: KubeConnection, signal: AbortSignal): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await connection.call({ method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts', body }, signal);
}

async function publishPeers(
  connection: KubeConnection,
  nodeId: string,
  states: readonly KubeletState[],
  signal: AbortSignal,
): Promise<void> {
  const peers = states.map(({ name, address }) => ({ name, nodeId, address, role: 'worker', labels: {} }));
  const body = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: PEERS.name, namespace: PEERS.namespace } },
    data: { peers: JSON.stringify(peers) },
  };
  const path = `/api/v1/namespaces/${PEERS.namespace}/configmaps`;
  await askKube(connection, { method: 'POST', path, body }, signal);
}

/** inTurns does work on all items, so many at the same time. */
export async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
}
