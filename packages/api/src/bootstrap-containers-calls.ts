import { createClient, type Transport } from '@connectrpc/connect';
import {
  BootstrapContainersService,
  type ListBootstrapContainersResponse,
} from './gen/plinth/node/v1/bootstrap_containers_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What a node has run before its workloads. Each call throws a PlinthError. */
export interface BootstrapContainersCalls {
  list(): Promise<ListBootstrapContainersResponse>;
}

/** bootstrapContainersCalls are the calls of BootstrapContainersService over a transport. */
export function bootstrapContainersCalls(transport: Transport, answer: Answer): BootstrapContainersCalls {
  const client = createClient(BootstrapContainersService, transport);
  return { list: () => answer('ListBootstrapContainers', client.listBootstrapContainers({})) };
}
