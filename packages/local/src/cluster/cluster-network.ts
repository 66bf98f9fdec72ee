import { PlinthError } from '@plinth/base';
import type { ClusterCard } from '../machine-spec.ts';

export type MemberRole = 'control-plane' | 'worker';

/** The cable that the machines of one cluster share. */
export interface ClusterNetwork {
  /** Third byte of the network 10.5.x.0/24; no two clusters of a user have the same. */
  readonly index: number;
  /** Multicast group and port that stand for the cable; random, because other users of this computer see them too. */
  readonly group: string;
  readonly port: number;
}

/** One machine of a cluster. Its ports on this computer are in the machine's own record. */
export interface ClusterMember {
  /** Name of the machine and of the node. */
  readonly name: string;
  readonly role: MemberRole;
  /** Last byte of its address; not used again in this cluster while the member is in it. */
  readonly host: number;
  readonly memoryMiB: number;
  readonly cpus: number;
}

const NAME = /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/;
const FIRST_HOST = { 'control-plane': 11, worker: 101 } as const;
const MOST = { 'control-plane': 9, worker: 99 } as const;
const NETWORKS = 256;

/** checkClusterName refuses names that are no RFC 1123 label, or leave no room for machine names. @throws cluster/bad-spec */
export function checkClusterName(name: string): void {
  if (NAME.test(name)) return;
  throw badSpec(
    `its name is "${name}", expected a lower-case letter and up to 19 lower-case letters, digits or "-"`,
  );
}

/**
 * chooseNetwork gives a new cluster a network that no other one of this user has.
 * @param random four random bytes
 * @throws cluster/bad-spec when all networks are taken
 */
export function chooseNetwork(taken: readonly ClusterNetwork[], random: Uint8Array): ClusterNetwork {
  const used = new Set(taken.map(({ index }) => index));
  const index = Array.from({ length: NETWORKS }, (_, n) => n).find((n) => !used.has(n));
  if (index === undefined) throw badSpec(`there are ${NETWORKS} clusters already, expected fewer`);
  const [a = 0, b = 0, c = 0, d = 0] = random;
  return { index, group: `239.${a}.${b}.${c}`, port: 20_000 + d * 100 + (index % 100) };
}

/** memberAddress is the address of a member on the cluster network. */
export function memberAddress(network: ClusterNetwork, { host }: Pick<ClusterMember, 'host'>): string {
  return `10.5.${network.index}.${host}`;
}

/** memberCard is the network card by which a member is on the cluster network. */
export function memberCard(network: ClusterNetwork, member: Pick<ClusterMember, 'host'>): ClusterCard {
  const byte = (value: number) => value.toString(16).padStart(2, '0');
  const { group, port, index } = network;
  return { group, port, mac: `52:54:00:05:${byte(index)}:${byte(member.host)}` };
}

/**
 * newMember names a further machine of a cluster. The first control plane of a cluster that begins with one machine has
 * the cluster's name; all others say what they are.
 * @throws cluster/bad-spec when the cluster has as many of the role as addresses
 */
export function newMember(
  cluster: { readonly name: string; readonly members: readonly ClusterMember[] },
  role: MemberRole,
  size: { readonly memoryMiB: number; readonly cpus: number },
  alone: boolean,
): ClusterMember {
  const hosts = new Set(cluster.members.map(({ host }) => host));
  const names = new Set(cluster.members.map(({ name }) => name));
  for (let number = 1; number <= MOST[role]; number++) {
    const host = FIRST_HOST[role] + number - 1;
    const name =
      alone && role === 'control-plane' && number === 1
        ? cluster.name
        : `${cluster.name}-${role === 'worker' ? 'worker' : 'cp'}-${number}`;
    if (!hosts.has(host) && !names.has(name)) return { name, role, host, ...size };
  }
  throw badSpec(`it has ${MOST[role]} machines of the role ${role}, expected fewer`);
}

/** badSpec is the error for a cluster that cannot exist; `state` reads after "Cannot describe the cluster:". */
export function badSpec(state: string): PlinthError {
  return new PlinthError('cluster/bad-spec', `Cannot describe the cluster: ${state}`);
}
