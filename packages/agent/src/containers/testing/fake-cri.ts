import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Content, type StatusSchema } from '../gen/containerd_pb.ts';
import {
  type ContainerSchema,
  type ImageSchema,
  ImageService,
  type PodSandboxSchema,
  RuntimeService,
} from '../gen/cri_pb.ts';

/** A container runtime in memory that answers CRI over a socket of the Unix family. */
export interface FakeCri extends AsyncDisposable {
  readonly socket: string;
  pods: MessageInitShape<typeof PodSandboxSchema>[];
  addresses: Record<string, string>;
  containers: MessageInitShape<typeof ContainerSchema>[];
  images: MessageInitShape<typeof ImageSchema>[];
  /** What it says it is receiving. */
  ingests: MessageInitShape<typeof StatusSchema>[];
  /** Names a registry has; pulling another fails as containerd says it. */
  registry: Set<string>;
  /** Pulls wait for this. */
  arrival: Promise<void>;
  /** Namespaces that containerd's own API was asked in. */
  readonly namespaces: string[];
}

/** startFakeCri listens on a socket of its own. Images have as id what `imageId` gives for their name. */
export async function startFakeCri(): Promise<FakeCri> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-cri-'));
  const socket = join(folder, 'containerd.sock');
  const fake: Omit<FakeCri, typeof Symbol.asyncDispose> = {
    socket,
    ...{ pods: [], addresses: {}, containers: [], images: [], ingests: [], registry: new Set<string>() },
    arrival: Promise.resolve(),
    namespaces: [],
  };
  const find = (name = '') => fake.images.find(({ id, repoTags }) => id === name || repoTags?.includes(name));
  const adapter = connectNodeAdapter({
    ...{ connect: false, grpcWeb: false },
    routes: (router) => {
      router.service(RuntimeService, {
        listPodSandbox: () => ({ items: fake.pods }),
        podSandboxStatus: ({ podSandboxId }) => ({
          status: { id: podSandboxId, network: { ip: fake.addresses[podSandboxId] ?? '' } },
        }),
        listContainers: () => ({ containers: fake.containers }),
      });
      router.service(ImageService, {
        listImages: () => ({ images: fake.images }),
        imageStatus: ({ image }) => {
          const found = find(image?.image);
          return found ? { image: found } : {};
        },
        pullImage: async ({ image }) => {
          const name = image?.image ?? '';
          await fake.arrival;
          if (!fake.registry.has(name))
            throw new ConnectError(
              `failed to resolve reference "${name}": ${name}: not found`,
              Code.NotFound,
            );
          const id = imageId(name);
          if (!find(id)) fake.images.push({ id, repoTags: [name], repoDigests: [], size: 1000n });
          return { imageRef: id };
        },
        removeImage: ({ image }) => {
          fake.images = fake.images.filter((each) => each !== find(image?.image));
          return {};
        },
      });
      router.service(Content, {
        listStatuses: (_request, { requestHeader }) => {
          fake.namespaces.push(requestHeader.get('containerd-namespace') ?? '');
          return { statuses: fake.ingests };
        },
      });
    },
  });
  const server = createServer(adapter);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return Object.assign(fake, {
    [Symbol.asyncDispose]: async () => {
      // Clients keep their connection for a while; they see it end.
      server.close();
      await rm(folder, { recursive: true });
    },
  });
}

/** The id a fake runtime gives the image of a name. */
export function imageId(name: string): string {
  return `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)}`;
}
