export type SocketProtocol = 'tcp' | 'tcp6' | 'udp' | 'udp6';

/** The tables of /proc/net, each with what it lists. */
export const SOCKET_TABLES: readonly (readonly [SocketProtocol, string])[] = [
  ['tcp', '/proc/net/tcp'],
  ['tcp6', '/proc/net/tcp6'],
  ['udp', '/proc/net/udp'],
  ['udp6', '/proc/net/udp6'],
];

/** One line of a socket table. */
export interface SocketEntry {
  readonly protocol: SocketProtocol;
  /** Word of tcp_states.h; UDP has "UNCONNECTED" and "ESTABLISHED". */
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly sendQueue: number;
  readonly receiveQueue: number;
  readonly uid: number;
  /** Inode of the socket; 0 for one that no process has any more. */
  readonly inode: number;
}

/** In the order of the kernel's numbers, from 1 (include/net/tcp_states.h). */
const STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
];

/** parseSocketLine reads one line of /proc/net/{tcp,udp}[6] (proc_net(5)); undefined for the header and other shapes. */
export function parseSocketLine(line: string, protocol: SocketProtocol): SocketEntry | undefined {
  const [, local = '', remote = '', state = '', queues = '', , , uid, , inode] = line.trim().split(/\s+/);
  const from = parseEndpoint(local);
  const to = parseEndpoint(remote);
  const word = STATES[Number.parseInt(state, 16) - 1];
  if (!from || !to || word === undefined) return undefined;
  const [sent = '0', received = '0'] = queues.split(':');
  return {
    protocol,
    state: word === 'CLOSE' && protocol.startsWith('udp') ? 'UNCONNECTED' : word,
    ...{ localAddress: from.address, localPort: from.port, remoteAddress: to.address, remotePort: to.port },
    ...{ sendQueue: Number.parseInt(sent, 16) || 0, receiveQueue: Number.parseInt(received, 16) || 0 },
    ...{ uid: Number(uid ?? 0), inode: Number(inode ?? 0) },
  };
}

/** isWaiting tells whether a socket takes what strangers send: TCP that listens, UDP that has no partner. */
export function isWaiting({ state }: Pick<SocketEntry, 'state'>): boolean {
  return state === 'LISTEN' || state === 'UNCONNECTED';
}

/** "0100007F:1D7A": words of 32 bits in the processor's byte order, then the port. All processors we run on are little-endian. */
function parseEndpoint(text: string): { address: string; port: number } | undefined {
  const match = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text);
  const [, digits = '', port = ''] = match ?? [];
  if (digits.length !== 8 && digits.length !== 32) return undefined;
  const bytes = Buffer.from(digits, 'hex').swap32();
  return { address: formatAddress(bytes), port: Number.parseInt(port, 16) };
}

/** formatAddress writes 4 or 16 bytes as an IP address; IPv6 in its shortest form (RFC 5952). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = Buffer.from(bytes);
  const words = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2));
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return `::ffff:${view.subarray(12).join('.')}`;
  const zeros = longestZeros(words);
  const hex = (some: readonly number[]) => some.map((word) => word.toString(16)).join(':');
  return zeros.length < 2
    ? hex(words)
    : `${hex(words.slice(0, zeros.start))}::${hex(words.slice(zeros.start + zeros.length))}`;
}

function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, word] of words.entries()) {
    if (word !== 0) start = index + 1;
    else if (index - start + 1 > best.length) best = { start, length: index - start + 1 };
  }
  return best;
}
