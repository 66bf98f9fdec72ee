import { type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import { LOCAL_API } from '../kubernetes/paths.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import type { ApiServerFacts } from './kubernetes-observer.ts';
import type { DnsAnswer } from './network-probe.ts';
import type { HealthRule, MemberView, NodeView } from './rule.ts';

const LINKS = '/sys/class/net';
/** flannel names its tunnel by the network identifier it takes by default. */
const TUNNEL = 'flannel.1';
const BRIDGE = 'cni0';
/** VXLAN puts an outer Ethernet, IPv4 and UDP header and its own before each packet (RFC 7348, 5). */
const VXLAN_OVERHEAD_BYTES = 50;
/** The one file that both the kubelet and we read: the servers that systemd-resolved asks. */
const RESOLV_CONF = '/run/systemd/resolve/resolv.conf';
/** Nobody may ever register it (RFC 6761, 6.4), so that "no such name" is the right answer everywhere. */
const NO_NAME = 'health.invalid';
const BALANCER = `${LOCAL_API.host}:${LOCAL_API.port}`;

export const networkRules: readonly HealthRule<NodeView>[] = [
  {
    id: 'network',
    expected: 'at least one address',
    source: 'getifaddrs',
    cause: 'No link has a carrier, or no DHCP server answers.',
    fix: 'Check the link and the DHCP server, or give the machine a static address.',
    critical: true,
    observe: async ({ sys }) => {
      const addresses = sys.addresses();
      return addresses.length === 0 ? fail('no address but local ones') : pass(addresses.join(', '));
    },
  },
];

export const memberNetworkRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'node-address',
    expected: 'the address the node joined with',
    source: 'getifaddrs',
    cause: 'The DHCP server gave another address: certificates and etcd know the node by the old one.',
    fix: 'Reserve the address for this machine in the DHCP server and renew the lease.',
    critical: true,
    observe: async ({ sys, member }) => judgeNodeAddress(member.nodeAddress, sys.addresses()),
  },
  {
    id: 'api-server',
    expected: "an API server is ready behind the node's balancer",
    source: `https://${BALANCER}/readyz`,
    cause: 'No API server of the cluster runs, or none can be reached from this node.',
    fix: 'Look at the health of the control planes, then at the network between them and this node.',
    critical: true,
    observe: async ({ kubernetes }) => judgeApiServer(await kubernetes.apiServer()),
  },
  {
    id: 'dns',
    expected: 'each server of the node answers, if one ever did',
    source: RESOLV_CONF,
    cause: 'The DNS server is down, or UDP port 53 to it is closed.',
    fix: 'Give the network a DNS server that answers, by DHCP.',
    observe: async ({ sys, probe }) => {
      const servers = parseNameServers((await readText(sys, RESOLV_CONF)) ?? '');
      const answers = servers.map(async (server) => [server, await probe.lookup(NO_NAME, server)] as const);
      return judgeServers(await Promise.all(answers));
    },
  },
  {
    id: 'cluster-dns',
    expected: "the cluster's DNS service knows the API server",
    source: 'a question to the DNS service',
    cause: 'CoreDNS does not run yet, or kube-proxy and the pod network do not lead to it.',
    fix: 'Look at the pods of CoreDNS, then at kube-proxy and flannel on this node.',
    observe: async ({ probe, member }) =>
      judgeClusterDns(await probe.lookup(`kubernetes.default.svc.${member.dnsDomain}`, member.dnsAddress)),
  },
  {
    id: 'pod-network',
    expected: `${TUNNEL} up, with room for its header on the machine's links; ${BRIDGE} as large`,
    source: LINKS,
    cause: "flannel does not run on this node, or the machine's link was given another size.",
    fix: 'Look at the pod of flannel on this node; restart it after a change of the link.',
    observe: async ({ sys }) => judgePodNetwork(await readLinks(sys)),
  },
];

/** judgeNodeAddress: a cluster knows its nodes by address. */
export function judgeNodeAddress(wanted: string, addresses: readonly string[]): Finding {
  return addresses.includes(wanted)
    ? pass(wanted)
    : fail(`${addresses.join(', ') || 'none'}, expected ${wanted}`);
}

/** judgeApiServer: reached and ready are two things. */
export function judgeApiServer({ version, ready }: ApiServerFacts): Finding {
  return passIf(ready, `${version}, ${ready ? 'ready' : 'not ready'}`);
}

/**
 * judgeServers: an answer without an address is an answer; silence is not. Where none of the servers has ever answered and
 * nobody named them there is no outside: a cluster on a computer without a network is offered one by its hypervisor.
 */
export function judgeServers(answers: readonly (readonly [server: string, answer: DnsAnswer])[]): Finding {
  if (answers.length === 0) return pass('the network names no server: only names of the cluster are known');
  const silent = answers.filter(([, { answered }]) => !answered);
  if (silent.length === 0) return pass(answers.map(([server]) => server).join(', '));
  if (answers.every(([, { known }]) => !known))
    return pass(
      `${silent.map(([server]) => server).join(', ')} never answered: only names of the cluster are known`,
    );
  return fail(silent.map(([server, { code }]) => `${server} ${code}`).join(', '));
}

/** judgeClusterDns: the name of the API server is the one that every cluster has. */
export function judgeClusterDns({ addresses, code }: DnsAnswer): Finding {
  return addresses.length > 0 ? pass(addresses.join(', ')) : fail(code);
}

/** A network link of the machine. */
export interface Link {
  readonly name: string;
  /** Largest packet, bytes. */
  readonly mtu: number;
  /** "up", "down", "unknown" (as tunnels say that work). */
  readonly state: string;
  /** Whether there is a device behind it, rather than the kernel alone. */
  readonly device: boolean;
}

/** judgePodNetwork: a tunnel without room for its header loses large packets only, which looks like anything but that. */
export function judgePodNetwork(links: readonly Link[]): Finding {
  const tunnel = links.find(({ name }) => name === TUNNEL);
  if (!tunnel) return fail(`there is no ${TUNNEL}`);
  if (tunnel.state === 'down') return fail(`${TUNNEL} is down`);
  const outer = links.filter(({ device }) => device).map(({ mtu }) => mtu);
  if (outer.length === 0) return unknown('no link of the machine was seen');
  const room = Math.max(...outer) - VXLAN_OVERHEAD_BYTES;
  if (tunnel.mtu > room)
    return fail(`${TUNNEL} takes ${tunnel.mtu} bytes, the machine's link has room for ${room}`);
  // The bridge comes with the first pod that is not on the host's network.
  const bridge = links.find(({ name }) => name === BRIDGE);
  if (bridge && bridge.mtu > tunnel.mtu)
    return fail(`${BRIDGE} takes ${bridge.mtu} bytes, ${TUNNEL} has room for ${tunnel.mtu}`);
  return pass(`${TUNNEL} ${tunnel.mtu} bytes${bridge ? `, ${BRIDGE} ${bridge.mtu}` : ''}`);
}

/** parseNameServers reads resolv.conf(5), which the resolver takes at most three servers of. */
export function parseNameServers(text: string): readonly string[] {
  return [...text.matchAll(/^nameserver[ \t]+([0-9a-fA-F.:]+)\s*$/gm)]
    .flatMap(([, server]) => server ?? [])
    .slice(0, 3);
}

/** Links of pods come and go while they are looked at, and the folder holds files as well. */
async function readLinks(sys: Sys): Promise<Link[]> {
  const links = (await sys.readDir(LINKS)).map(async (name): Promise<Link[]> => {
    const mtu = await readText(sys, `${LINKS}/${name}/mtu`);
    const state = await readText(sys, `${LINKS}/${name}/operstate`);
    const device = (await listDir(sys, `${LINKS}/${name}/device`)).length > 0;
    return mtu === undefined || state === undefined ? [] : [{ name, mtu: Number(mtu), state, device }];
  });
  return (await Promise.all(links)).flat();
}
