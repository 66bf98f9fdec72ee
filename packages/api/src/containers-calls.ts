import { createClient, type Transport } from '@connectrpc/connect';
import {
  ContainersService,
  type ListContainersResponse,
  type ListImagesResponse,
  type ListPodsResponse,
  type PullImageResponse,
} from './gen/plinth/node/v1/containers_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';

/** Containers, pods and images of a node. Each call throws a PlinthError. */
export interface ContainersCalls {
  pods(): Promise<ListPodsResponse>;
  containers(): Promise<ListContainersResponse>;
  images(): Promise<ListImagesResponse>;
  /** Tells how far it is; the last message has the image's id. @param timeoutMs bound on the whole */
  pull(image: string, timeoutMs: number): AsyncGenerator<PullImageResponse>;
  /** @returns the id of the image that was removed */
  remove(image: string): Promise<string>;
}

/** containersCalls are the calls of ContainersService over a transport. */
export function containersCalls(transport: Transport, answer: Answer, fail: Fail): ContainersCalls {
  const client = createClient(ContainersService, transport);
  return {
    pods: () => answer('ListPods', client.listPods({})),
    containers: () => answer('ListContainers', client.listContainers({})),
    images: () => answer('ListImages', client.listImages({})),
    pull: (image, timeoutMs) =>
      streamCall('PullImage', fail, (options) => client.pullImage({ image }, options), timeoutMs),
    remove: async (image) => (await answer('RemoveImage', client.removeImage({ image }))).imageId,
  };
}
