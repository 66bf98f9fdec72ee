import { nodeApiPort } from '@plinth/api';
import { type CheckSpec, type Finding, fail, pass } from '../checks/check.ts';
import { isWaiting, parseSocketLine, SOCKET_TABLES, type SocketProtocol } from '../kernel/socket-table.ts';
import type { Sys } from '../sys/sys.ts';
import { hasLayer } from './layer-check.ts';

/** A socket that takes what strangers send: listening (TCP), or bound and not connected (UDP). */
export interface OpenSocket {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

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
  source: SOCKET_TABLES.map(([, path]) => path).join(', '),
  fix: 'Find out which service or pod of the host network opened the port.',
  observe: async (sys) => judgeSockets(await openSockets(sys), await hasLayer(sys)),
};

async function openSockets(sys: Sys): Promise<OpenSocket[]> {
  const found: OpenSocket[] = [];
  for (const [protocol, path] of SOCKET_TABLES) {
    for await (const lines of sys.readLines(path))
      found.push(...lines.flatMap((line) => openSocket(line, protocol)));
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

/** openSocket reads one line of a socket table and gives the socket if others than this machine can reach it. */
export function openSocket(line: string, protocol: SocketProtocol): readonly OpenSocket[] {
  const entry = parseSocketLine(line, protocol);
  if (!entry || !isWaiting(entry) || /^(?:127\.|::ffff:127\.|::1$)/.test(entry.localAddress)) return [];
  return [{ protocol: protocol.startsWith('tcp') ? 'tcp' : 'udp', port: entry.localPort }];
}
