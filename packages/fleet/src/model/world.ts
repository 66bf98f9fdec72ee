import { policySpec, releaseSpec } from '../objects/index.ts';
import { type Character, FakeMachine, OLD_SYSTEM } from '../testing/fake-machine.ts';
import { type Deciders, type Mutation, Simulation } from './simulation.ts';

/** In place: without a reboot. */
export type Parts = 'system' | 'all' | 'hot-layer' | 'kubernetes' | 'config' | 'config-by-reboot';

const KUBERNETES = { version: '1.37.1', layerDigest: 'd'.repeat(64) };
const HOT_LAYER = { serial: 3, rootHash: 'f'.repeat(64) };
const CONFIG = {
  configMap: { namespace: 'plinth-fleet', name: 'workers', key: 'documents' },
  digest: 'e'.repeat(64),
};

/** The standard release of a world. */
function standardOf(parts: Parts) {
  const os = { version: STANDARD.slice(0, 4), rootHash: STANDARD };
  if (parts === 'system') return { os };
  if (parts === 'all') return { os, kubernetes: KUBERNETES, config: CONFIG, hotLayer: HOT_LAYER };
  if (parts === 'hot-layer') return { hotLayer: HOT_LAYER, rebootRequired: false };
  // A config that needs a reboot on a node gets one, whatever the release says.
  return parts === 'kubernetes'
    ? { kubernetes: KUBERNETES, rebootRequired: false }
    : { config: CONFIG, rebootRequired: false };
}

/** A small cluster, and how wrong its clocks are. */
export interface World {
  readonly characters: readonly Character[];
  readonly maxUnavailable: number;
  readonly skewsMs: readonly number[];
  readonly machineSkewMs: number;
  readonly pods: number;
  /** What the standard release brings beside the system, or in its place. */
  readonly parts: Parts;
  /** Nodes are replaced by their provider. */
  readonly isReplaced?: boolean;
  /** Budgets that hold the pods: none, one, or two on the same pods. */
  readonly budgets: 0 | 1 | 2;
}

export const POLICY = 'workers';
/** The name that the policy is given when it is deleted and made anew; then its own again. */
export const OTHER_POLICY = 'others';
export const STANDARD = 'b'.repeat(64);
const CRITICAL = 'c'.repeat(64);
const APP = { app: 'web' };

/** Times are short and waves one, so that runs get far; the rest is as a policy has it by default. */
const SPEC = policySpec.parse({
  nodeSelector: { matchLabels: { role: 'worker' } },
  release: 'standard',
  capacity: { headroom: { enabled: false }, lostAfter: '24h', minAvailable: 1 },
  topology: { domainsInFlight: 1, maxUnavailablePerDomain: '100%' },
  waves: [{ upTo: '100%', soak: '0s' }],
  churn: { maxStaging: '100%' },
  failureBudget: { canary: 100, absolute: 100, percent: 100 },
  nodeHealth: { ready: '5s', soak: '5s' },
});

/** openWorld makes the cluster, with a policy that wants a release, and operators that have read all of it. */
export function openWorld(world: World, deciders: Deciders, mutation: Mutation = {}): Simulation {
  const simulation = new Simulation(deciders, mutation, world.skewsMs);
  const { server, nowMs } = simulation;
  const stored = { generation: 1, createdAtMs: nowMs, status: undefined };
  for (const [name, hash, severity] of [
    ['standard', STANDARD, 'Standard'],
    ['critical', CRITICAL, 'Critical'],
  ] as const)
    server.put('release', name, (stamp) => ({
      ...{ name, ...stored, ...stamp },
      spec: releaseSpec.parse({
        ...(severity === 'Standard'
          ? standardOf(world.parts)
          : { os: { version: hash.slice(0, 4), rootHash: hash } }),
        severity,
        cves: severity === 'Critical' ? ['CVE-2026-0001'] : [],
      }),
    }));
  server.put('policy', POLICY, (stamp) => ({
    ...{ name: POLICY, ...stored, ...stamp },
    spec: {
      ...SPEC,
      capacity: { ...SPEC.capacity, maxUnavailable: world.maxUnavailable },
      ...(world.isReplaced && { replace: { provider: 'ClusterAPI' as const, timeout: '30m' } }),
    },
  }));
  for (const [index, character] of world.characters.entries()) {
    const machine = new FakeMachine(`node-${index}`);
    machine.character = character;
    machine.checksPermission = mutation.machinesCheckPermission ?? true;
    machine.skewMs = world.machineSkewMs;
    machine.configNeedsReboot = world.parts === 'config-by-reboot';
    simulation.machines.set(machine.name, machine);
    joinNode(simulation, machine, index);
  }
  for (let index = 0; index < world.budgets; index += 1)
    server.put('budget', `budget-${index}`, () => ({
      ...{ namespace: 'default', name: `budget-${index}`, disruptionsAllowed: 1 },
      selector: { matchLabels: APP, matchExpressions: [] },
    }));
  for (let index = 0; index < world.pods; index += 1) simulation.startPod(APP);
  for (const { cache } of simulation.operators) cache.list();
  simulation.audit();
  return simulation;
}

/** A Node object for a machine, as its kubelet registers it. */
export function joinNode(simulation: Simulation, machine: FakeMachine, index: number): void {
  simulation.server.put('node', machine.name, (stamp) => {
    machine.uid = stamp.uid;
    return {
      ...{ name: machine.name, ...stamp },
      labels: { role: 'worker', 'topology.kubernetes.io/zone': `zone-${index % 2}` },
      ...{ annotations: {}, isUnschedulable: false, taints: [], isReady: true },
      ...{ readySinceMs: simulation.nowMs, bootId: machine.bootId, kubeletVersion: `v${machine.kubelet}` },
      ...{ isDeleting: false, createdAtMs: simulation.nowMs, address: machine.name, requested: undefined },
      allocatable: { cpuMilli: 4000, memoryBytes: 8e9, pods: 110 },
    };
  });
}

/** isUpdated says that a machine runs one of the releases. */
export function isUpdated(machine: FakeMachine): boolean {
  return machine.runs !== OLD_SYSTEM;
}
