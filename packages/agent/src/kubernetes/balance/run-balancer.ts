import { openHttps } from '../../https/call-https.ts';
import { repeat, type Sleep } from '../../repeat.ts';
import type { StateStore } from '../../sys/state-store.ts';
import { type Balancer, dial } from './open-balancer.ts';
import type { Sight } from './server-health.ts';
import { keepServers, parseServer, readServers } from './server-list.ts';

const PROBE_EVERY_MS = 5_000;
/** A loaded server that answers late still answers; one that is gone is noticed by its connections. */
const PROBE_LIMIT_MS = 8_000;
const LIST_EVERY_MS = 60_000;
const LIST_AT_MOST_MS = 120_000;
const ANSWER_LIMIT_BYTES = 64 * 1024;

export interface BalancerLoops {
  readonly balancer: Balancer;
  readonly store: StateStore;
  /** The invitation's servers, or the node's own; used when nothing is kept from before. */
  readonly firstServers: readonly string[];
  /** The cluster's own list (listApiServers). */
  listServers(): Promise<readonly string[]>;
  /** One look at a server; see probeServer. */
  probe(server: string): Promise<Sight>;
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
  /** Hears when the list cannot be had, and (undefined) when it can again. */
  readonly onFailure: (reason: unknown) => void;
}

/** runBalancer keeps the list and the health of the servers up to date until the signal aborts. It does not throw. */
export async function runBalancer(loops: BalancerLoops): Promise<void> {
  const { balancer, store, signal, sleep, onFailure } = loops;
  const kept = await readServers(store);
  if (!balancer.setServers(kept)) balancer.setServers(loops.firstServers);
  const common = { signal, ...(sleep ? { sleep } : {}) };
  const probing = repeat(
    async () => {
      const servers = balancer.servers();
      // There is nothing to choose from: a handshake every few seconds would tell nothing.
      if (servers.length === 1) return;
      await Promise.all(servers.map(async (server) => balancer.observe(server, await loops.probe(server))));
    },
    { ...common, everyMs: PROBE_EVERY_MS, atMostMs: PROBE_EVERY_MS, onFailure },
  );
  let stored = JSON.stringify(kept);
  const listing = repeat(
    async () => {
      const servers = await loops.listServers();
      // No API server at all is not believed of an API server that just answered.
      if (!balancer.setServers(servers)) return;
      const now = JSON.stringify(balancer.servers());
      if (now === stored) return;
      await keepServers(store, balancer.servers());
      stored = now;
    },
    { ...common, everyMs: LIST_EVERY_MS, atMostMs: LIST_AT_MOST_MS, onFailure },
  );
  await Promise.all([probing, listing]);
}

/**
 * probeServer asks a server whether it is ready, as nobody: kubeadm's clusters let everybody ask that.
 * @param caPem the cluster's authority; undefined before the node has joined, when only a listener can be seen
 */
export async function probeServer(
  server: string,
  caPem: string | undefined,
  { timeoutMs = PROBE_LIMIT_MS }: { readonly timeoutMs?: number } = {},
): Promise<Sight> {
  const target = parseServer(server);
  if (!target) return 'no-answer';
  if (caPem === undefined) {
    const socket = await dial(server, timeoutMs);
    socket?.destroy();
    return socket ? 'connected' : 'no-answer';
  }
  const https = openHttps({ ...target, caPem });
  try {
    const call = { method: 'GET', path: '/readyz', timeoutMs };
    const { status } = await https.call(call, ANSWER_LIMIT_BYTES);
    // A cluster that lets nobody in without a name still proves that its server works.
    return status === 200 || status === 401 || status === 403 ? 'ready' : 'unready';
  } catch {
    return 'no-answer';
  } finally {
    https.close();
  }
}
