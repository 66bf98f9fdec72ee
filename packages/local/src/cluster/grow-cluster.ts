import {
  badSpec,
  type ClusterMember,
  checkClusterName,
  chooseNetwork,
  newMember,
} from './cluster-network.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** What a person asks for; what is absent stays as it is, or is chosen for a new cluster. */
export interface ClusterWish {
  readonly name: string;
  readonly controlPlanes?: number | undefined;
  readonly workers?: number | undefined;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** For a new cluster. */
  readonly kubernetesVersion: string;
}

/** Time and random bytes, which come from outside. */
export interface GrowthChance {
  readonly now: Date;
  readonly random: Uint8Array;
}

/**
 * growCluster makes the record of a new cluster, or adds the machines that a wish has more than the record; pure. It
 * never removes a machine: that loses data and has a command of its own.
 * @param others records of all other clusters
 * @throws cluster/bad-spec when fewer machines are wished than there are, or a name is taken
 */
export function growCluster(
  before: ClusterRecord | undefined,
  others: readonly ClusterRecord[],
  wish: ClusterWish,
  { now, random }: GrowthChance,
): ClusterRecord {
  checkClusterName(wish.name);
  const controlPlanes = wish.controlPlanes ?? (before ? count(before.members, 'control-plane') : 1);
  const workers = wish.workers ?? (before ? count(before.members, 'worker') : 0);
  if (controlPlanes < 1) throw badSpec('it has no control plane, expected one at least');
  const base = before ?? {
    format: 1 as const,
    name: wish.name,
    kubernetesVersion: wish.kubernetesVersion,
    controlPlanesTakeWorkloads: workers === 0,
    network: chooseNetwork(
      others.map(({ network }) => network),
      random,
    ),
    members: [],
    createdAt: now.toISOString(),
  };
  const size = { memoryMiB: wish.memoryMiB, cpus: wish.cpus };
  const alone = controlPlanes + workers === 1;
  let members = base.members;
  for (const [role, wanted] of [
    ['control-plane', controlPlanes],
    ['worker', workers],
  ] as const) {
    const present = count(members, role);
    if (wanted < present) {
      throw badSpec(`it has ${present} machines of the role ${role}, expected ${wanted} or fewer`);
    }
    for (let n = present; n < wanted; n++) {
      members = [...members, newMember({ name: wish.name, members }, role, size, alone)];
    }
  }
  const taken = new Map(others.flatMap((other) => other.members.map(({ name }) => [name, other.name])));
  const clash = members.find(({ name }) => taken.has(name));
  if (clash) throw badSpec(`machine "${clash.name}" belongs to cluster "${taken.get(clash.name)}"`);
  return before && members === before.members ? before : { ...base, members };
}

/** withoutMember is the record without one machine. */
export function withoutMember(record: ClusterRecord, name: string): ClusterRecord {
  return { ...record, members: record.members.filter((member) => member.name !== name) };
}

function count(members: readonly ClusterMember[], role: ClusterMember['role']): number {
  return members.filter((member) => member.role === role).length;
}
