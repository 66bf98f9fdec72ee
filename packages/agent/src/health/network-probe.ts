import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { errorCode } from '../sys/sys.ts';

/** What a DNS server answered. */
export interface DnsAnswer {
  /** Whether there was an answer at all; "no such name" is one. */
  readonly answered: boolean;
  readonly addresses: readonly string[];
  /** "ENOTFOUND", "ETIMEOUT"; "" with addresses. */
  readonly code: string;
  /** Whether the server has answered this probe before, or was said to be there. */
  readonly known: boolean;
}

/** Where a server listens: a port of a host, or a socket file. */
export type ProbeTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/** NetworkProbe tries what cannot be read from a file. */
export interface NetworkProbe {
  /** IPv4 addresses of a name, asked of one server ("10.96.0.10", "127.0.0.53:53"). Never rejects. */
  lookup(name: string, server: string): Promise<DnsAnswer>;
  /** "" when something accepts connections, else the code of the system error. Never rejects. */
  connect(target: ProbeTarget): Promise<string>;
  /** Status and body (at most 4 KiB) of an HTTP server of this machine. Rejects when there is none. */
  httpGet(port: number, path: string): Promise<{ readonly status: number; readonly body: string }>;
}

const TIMEOUT_MS = 3_000;
const BODY_LIMIT_BYTES = 4096;
/** Answers that carry no address, and are answers all the same (RFC 1035, 4.1.1). */
const ANSWERS = ['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED', 'EFORMERR', 'ENOTIMP'];

/** Servers that are remembered. */
const KNOWN_LIMIT = 64;

/**
 * networkProbe tries for real, and remembers which DNS servers have answered it.
 * @param options `known`: DNS servers that people said are there
 */
export function networkProbe(
  options: { readonly timeoutMs?: number; readonly known?: readonly string[] | undefined } = {},
): NetworkProbe {
  const { timeoutMs = TIMEOUT_MS } = options;
  const known = new Set(options.known);
  return {
    async lookup(name, server) {
      const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
      try {
        resolver.setServers([server]);
        const addresses = await resolver.resolve4(name);
        if (known.size < KNOWN_LIMIT) known.add(server);
        return { answered: true, addresses, code: '', known: true };
      } catch (reason) {
        const code = errorCode(reason) || String(reason);
        const answered = ANSWERS.includes(code);
        if (answered && known.size < KNOWN_LIMIT) known.add(server);
        return { answered, addresses: [], code, known: known.has(server) };
      }
    },
    connect: (target) =>
      new Promise((resolve) => {
        const socket = connect(target);
        const end = (code: string) => {
          socket.destroy();
          resolve(code);
        };
        socket.setTimeout(timeoutMs, () => end('ETIMEDOUT'));
        socket.once('connect', () => end(''));
        socket.once('error', (reason) => end(errorCode(reason) || reason.message));
      }),
    httpGet: (port, path) =>
      new Promise((resolve, reject) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const asked = get({ host: '127.0.0.1', port, path, agent: false, signal }, (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body = `${body}${text}`.slice(0, BODY_LIMIT_BYTES);
          });
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
          response.once('error', reject);
        });
        asked.once('error', reject);
      }),
  };
}
