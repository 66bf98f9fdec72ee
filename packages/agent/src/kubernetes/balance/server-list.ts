import { isIP } from 'node:net';
import { z } from 'zod';
import type { StateStore } from '../../sys/state-store.ts';

const FILE = 'kubernetes/api-servers.json';
/** More control planes than etcd can use. */
const SERVERS_LIMIT = 16;

const fileSchema = z.object({ servers: z.array(z.string().max(64)).max(SERVERS_LIMIT) });

/** A server as host and port; undefined when the text is not "address:port" with an IP address. */
export function parseServer(server: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(server);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const family = match?.[1] === undefined ? 4 : 6;
  return isIP(host) === family && port <= 65_535 ? { host, port } : undefined;
}

/** usableServers gives those that can be dialled, each once, at most 16. */
export function usableServers(servers: readonly string[]): readonly string[] {
  return [...new Set(servers)].filter((server) => parseServer(server)).slice(0, SERVERS_LIMIT);
}

/** readServers gives the list kept from before the reboot; empty when there is none that can be used. */
export async function readServers(store: StateStore): Promise<readonly string[]> {
  const bytes = await store.read(FILE).catch(() => undefined);
  if (!bytes) return [];
  try {
    return usableServers(fileSchema.parse(JSON.parse(bytes.toString('utf8'))).servers);
  } catch {
    return []; // damaged: the next list from the cluster replaces it
  }
}

/** keepServers stores the list. Throws system errors. */
export async function keepServers(store: StateStore, servers: readonly string[]): Promise<void> {
  await store.write(FILE, Buffer.from(`${JSON.stringify({ servers })}\n`));
}
