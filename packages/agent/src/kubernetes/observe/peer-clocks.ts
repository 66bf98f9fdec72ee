import type { PeerClock } from '../../health/kubernetes-observer.ts';
import { openHttps } from '../../https/call-https.ts';
import type { Sys } from '../../sys/sys.ts';
import { parseServer } from '../balance/server-list.ts';

/** The Date header has no fractions (RFC 9110, 5.6.7). */
const DATE_GRAIN_MS = 1_000;

export interface ClockQuestion {
  /** host:port of API servers on other machines. */
  readonly servers: readonly string[];
  /** Authority of the cluster: only its servers are believed. */
  readonly caPem: string;
  readonly timeoutMs: number;
}

/**
 * readPeerClocks reads the time of API servers, asking as nobody. Those that do not answer are left out while another
 * does: that they are away is another check's to say. Rejects when none of them answers.
 */
export async function readPeerClocks(
  sys: Pick<Sys, 'nowMs'>,
  { servers, caPem, timeoutMs }: ClockQuestion,
): Promise<readonly PeerClock[]> {
  const asked = await Promise.allSettled(
    servers.map(async (server) => ({ server, skewMs: await askClock(sys, server, caPem, timeoutMs) })),
  );
  const clocks = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (clocks.length === 0 && servers.length > 0) throw new Error(`no answer of ${servers.join(', ')}`);
  return clocks;
}

async function askClock(
  sys: Pick<Sys, 'nowMs'>,
  server: string,
  caPem: string,
  timeoutMs: number,
): Promise<number> {
  const target = parseServer(server);
  if (!target) throw new Error('not an address');
  const https = openHttps({ ...target, caPem });
  try {
    const sentMs = sys.nowMs();
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await https.open({ method: 'GET', path: '/readyz', timeoutMs, signal });
    const receivedMs = sys.nowMs();
    answer.destroy();
    return certainSkewMs(Date.parse(answer.headers.date ?? ''), sentMs, receivedMs);
  } finally {
    https.close();
  }
}

/**
 * certainSkewMs is the least difference of two clocks that explains a Date seen between sending and receiving, by ours: a
 * slow answer must not look like a wrong clock. NaN when no date was told.
 */
export function certainSkewMs(dateMs: number, sentMs: number, receivedMs: number): number {
  if (Number.isNaN(dateMs)) return Number.NaN;
  const least = dateMs - receivedMs;
  const most = dateMs + DATE_GRAIN_MS - sentMs;
  if (least > 0) return least;
  return Math.min(most, 0);
}
