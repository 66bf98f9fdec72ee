import { isIP } from 'node:net';
import { z } from 'zod';
import type { KubeClient } from './kube-client.ts';

const PATH = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const sliceListSchema = z.object({
  items: z.array(
    z.object({
      addressType: z.string(),
      ports: z
        .array(z.object({ name: z.string().nullish(), port: z.number().int().min(1).max(65535).nullish() }))
        .nullish(),
      endpoints: z
        .array(
          z.object({
            addresses: z.array(z.string()).max(100),
            conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
          }),
        )
        .nullish(),
    }),
  ),
});

/**
 * listApiServers gives host:port of each API server, sorted, as the API servers publish themselves. Errors: see
 * KubeClient.
 */
export async function listApiServers(client: KubeClient): Promise<readonly string[]> {
  const query = new URLSearchParams({ labelSelector: 'kubernetes.io/service-name=kubernetes' });
  const { items } = await client.get(`${PATH}?${query}`, sliceListSchema);
  const servers = items.flatMap(({ ports, endpoints }) => {
    const port = ports?.find(({ name }) => name === 'https')?.port ?? ports?.[0]?.port;
    if (!port) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses)
      .filter((address) => isIP(address) !== 0)
      .map((address) => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`));
  });
  return [...new Set(servers)].sort();
}
