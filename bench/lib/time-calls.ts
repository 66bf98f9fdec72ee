import { text } from 'node:stream/consumers';
import { connectNode, type NodeClient, nodeApiPort } from '@plinth/api';
import { z } from 'zod';
import { processorMs } from './processor-time.ts';

/**
 * A program for bench/calls.ts: calls the node on this network's loopback, one call after the other, and prints how long each
 * took and what processor time of plinthd one cost, in milliseconds by name of the call. Who calls comes on the standard input.
 */
const WARM_UP = 50;
const CALLS: Readonly<
  Record<string, readonly [times: number, call: (node: NodeClient) => Promise<unknown>]>
> = {
  GetIdentity: [500, (node) => node.getIdentity()],
  GetTime: [20, (node) => node.system.time()],
  ListProcesses: [100, (node) => node.system.processes()],
  GetResources: [200, (node) => node.system.resources()],
  ListCgroups: [50, (node) => node.system.cgroups()],
  ListMounts: [100, (node) => node.system.mounts()],
  ListDisks: [100, (node) => node.system.disks()],
  ListSockets: [20, (node) => node.system.sockets()],
  GetNetwork: [20, (node) => node.system.network()],
  ListCertificates: [100, (node) => node.system.certificates()],
};

const order = z
  .object({ pid: z.number(), fingerprint: z.string(), certificatePem: z.string(), keyPem: z.string() })
  .parse(JSON.parse(await text(process.stdin)));
using node = connectNode({
  ...{ address: '127.0.0.1', port: nodeApiPort, fingerprint: order.fingerprint, timeoutMs: 60_000 },
  ...{ clientCertificatePem: order.certificatePem, clientKeyPem: order.keyPem },
});
for (let call = 0; call < WARM_UP; call++) await node.getIdentity();
const took: Record<string, { spent: number[]; cpuMs: number }> = {};
for (const [name, [times, call]] of Object.entries(CALLS)) {
  const spent: number[] = [];
  const beforeMs = await processorMs(order.pid);
  for (let round = 0; round < times; round++) {
    const startedMs = performance.now();
    await call(node);
    spent.push(performance.now() - startedMs);
  }
  took[name] = { spent, cpuMs: ((await processorMs(order.pid)) - beforeMs) / times };
}
process.stdout.write(JSON.stringify(took));
