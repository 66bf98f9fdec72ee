import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';
import type { GetNetworkResponse, ListSocketsResponse } from './gen/plinth/node/v1/system_network_pb.ts';
import {
  type GetResourcesResponse,
  type GetTimeResponse,
  type ListCertificatesResponse,
  type ListCgroupsResponse,
  type ListProcessesResponse,
  type ListServicesResponse,
  type ListUnsignedResponse,
  SystemService,
} from './gen/plinth/node/v1/system_pb.ts';
import type { ListDisksResponse, ListMountsResponse } from './gen/plinth/node/v1/system_storage_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { nodeCallLimitMs } from './limits.ts';

/** What runs on a node and what the machine has. Each call throws a PlinthError with a code of area `api`. */
export interface SystemCalls {
  services(options?: { readonly allKinds?: boolean }): Promise<ListServicesResponse>;
  /** @param options.sampleMs how long processor use is measured, at most 5,000; 0 for the mean since each process began */
  processes(options?: {
    readonly sampleMs?: number;
    readonly arguments?: boolean;
    readonly kernelThreads?: boolean;
  }): Promise<ListProcessesResponse>;
  unsigned(): Promise<ListUnsignedResponse>;
  resources(options?: { readonly sampleMs?: number }): Promise<GetResourcesResponse>;
  cgroups(options?: {
    readonly sampleMs?: number;
    readonly containers?: boolean;
  }): Promise<ListCgroupsResponse>;
  disks(): Promise<ListDisksResponse>;
  mounts(options?: { readonly all?: boolean }): Promise<ListMountsResponse>;
  network(): Promise<GetNetworkResponse>;
  sockets(options?: { readonly listeningOnly?: boolean }): Promise<ListSocketsResponse>;
  time(): Promise<GetTimeResponse>;
  certificates(): Promise<ListCertificatesResponse>;
}

/** systemCalls are the calls of SystemService over a transport. @param timeoutMs bound on each */
export function systemCalls(transport: Transport, answer: Answer, timeoutMs: number): SystemCalls {
  const client = createClient(SystemService, transport);
  // A node refuses a call that asks for more time than it gives.
  const brief = { timeoutMs: Math.min(timeoutMs, nodeCallLimitMs) };
  return {
    services: ({ allKinds = false } = {}) => answer('ListServices', client.listServices({ allKinds }, brief)),
    processes: ({ sampleMs = 0, arguments: words = false, kernelThreads = false } = {}) =>
      answer(
        'ListProcesses',
        client.listProcesses({ ...sampled(sampleMs), arguments: words, kernelThreads }, brief),
      ),
    unsigned: () => answer('ListUnsigned', client.listUnsigned({}, brief)),
    resources: ({ sampleMs = 0 } = {}) =>
      answer('GetResources', client.getResources(sampled(sampleMs), brief)),
    cgroups: ({ sampleMs = 0, containers = false } = {}) =>
      answer('ListCgroups', client.listCgroups({ ...sampled(sampleMs), containers }, brief)),
    disks: () => answer('ListDisks', client.listDisks({}, brief)),
    mounts: ({ all = false } = {}) => answer('ListMounts', client.listMounts({ all }, brief)),
    network: () => answer('GetNetwork', client.getNetwork({}, brief)),
    sockets: ({ listeningOnly = false } = {}) =>
      answer('ListSockets', client.listSockets({ listeningOnly }, brief)),
    time: () => answer('GetTime', client.getTime({}, brief)),
    certificates: () => answer('ListCertificates', client.listCertificates({}, brief)),
  };
}

function sampled(sampleMs: number) {
  return sampleMs > 0 ? { sample: durationFromMs(sampleMs) } : {};
}
