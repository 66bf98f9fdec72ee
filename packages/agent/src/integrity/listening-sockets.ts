import { nodeApiPort } from '@plinth/api';
import { type CheckSpec, type Finding, fail, pass } from '../checks/check.ts';
import type { Sys } from '../sys/sys.ts';
import { hasLayer } from './layer-check.ts';

/** A socket that takes what strangers send: listening (TCP), or bound and not connected (UDP). */
export interface OpenSocket {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

const TABLES = [
  ['tcp', '/proc/net/tcp'],
  ['tcp', '/proc/net/tcp6'],
  ['udp', '/proc/net/udp'],
  ['udp', '/proc/net/udp6'],
] as const;

/** What may be open to the network: our API, and the ports on which a DHCP client hears its server (RFC 2131, 8415). */
const EXPECTED: readonly string[] = [`tcp ${nodeApiPort}`, 'udp 68', 'udp 546'];

/**
 * What the programs of a merged Kubernetes layer may open beside: API server, etcd for its clients and members, kubelet,
 * kube-proxy's health, flannel's VXLAN; and, from the range of node ports, the health checks of services that keep
 * their traffic on the node (externalTrafficPolicy: Local). Node ports themselves are packet filter rules, not sockets.
 */
const OF_LAYER: readonly string[] = [
  ...['tcp 6443', 'tcp 2379', 'tcp 2380', 'tcp 10250', 'tcp 10256'],
  // The kernel's own default, which flannel takes for vxlan (RFC 7348 names another).
  'udp 8472',
];
const HEALTH_CHECK_PORTS = { first: 30_000, last: 32_767 } as const;

/** listeningSocketsCheck: nothing but plinthd, and Kubernetes where a layer is merged, can be reached from outside. */
export const listeningSocketsCheck: CheckSpec = {
  id: 'listening-sockets',
  expected: `nothing but plinthd on TCP port ${nodeApiPort}, and Kubernetes where its layer is merged`,
  source: TABLES.map(([, path]) => path).join(', '),
  fix: 'Find out which service or pod of the host network opened the port.',
  observe: async (sys) => judgeSockets(await openSockets(sys), await hasLayer(sys)),
};

async function openSockets(sys: Sys): Promise<OpenSocket[]> {
  const found: OpenSocket[] = [];
  for (const [protocol, path] of TABLES) {
    found.push(...parseSockets((await sys.readFile(path)).toString('utf8'), protocol));
  }
  return found;
}

/**
 * judgeSockets fails for each socket that is not expected; and when ours is not seen, nothing was seen.
 * @param layer whether a Kubernetes layer is merged: its ports are expected then, and only then
 */
export function judgeSockets(sockets: readonly OpenSocket[], layer: boolean): Finding {
  const open = [...new Set(sockets.map(({ protocol, port }) => `${protocol} ${port}`))];
  const strangers = open.filter((socket) => !EXPECTED.includes(socket) && !(layer && isOfLayer(socket)));
  if (strangers.length > 0) return fail(`also open: ${strangers.slice(0, 10).join(', ')}`);
  return open.includes(`tcp ${nodeApiPort}`) ? pass(open.join(', ')) : fail('the API itself is not seen');
}

function isOfLayer(socket: string): boolean {
  if (OF_LAYER.includes(socket)) return true;
  const [protocol, port = ''] = socket.split(' ');
  const { first, last } = HEALTH_CHECK_PORTS;
  return protocol === 'tcp' && Number(port) >= first && Number(port) <= last;
}

/**
 * parseSockets reads /proc/net/{tcp,udp}[6] (proc(5)) and gives the sockets that others than this machine can reach.
 * A UDP socket has state 07 until it is connected to one partner; TCP listens in state 0A.
 */
export function parseSockets(table: string, protocol: OpenSocket['protocol']): OpenSocket[] {
  const wanted = protocol === 'tcp' ? '0A' : '07';
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== wanted || !/^[0-9A-F]{4}$/.test(port) || isLoopback(address)) return [];
    return [{ protocol, port: Number.parseInt(port, 16) }];
  });
}

/** 127.0.0.0/8, also as an IPv6-mapped address, and ::1; the kernel prints words in the processor's byte order. */
function isLoopback(address: string): boolean {
  return /^(0{16}FFFF0000)?[0-9A-F]{6}7F$/.test(address) || address === '00000000000000000000000001000000';
}
