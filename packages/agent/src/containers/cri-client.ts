import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { PlinthError } from '@plinth/base';
import { Content } from './gen/containerd_pb.ts';
import { type Container, type Image, ImageService, type PodSandbox, RuntimeService } from './gen/cri_pb.ts';
import { openRuntime, runtimeError, runtimeWords } from './runtime-client.ts';

const PULL_MS = 60 * 60_000;

/** How far what is on its way to the node has come. */
export interface Ingest {
  readonly ref: string;
  readonly receivedBytes: number;
  /** 0 when it is not known. */
  readonly totalBytes: number;
}

/** The container runtime. Calls throw containers/runtime-unreachable, or containers/failed with its words. */
export interface CriClient {
  pods(): Promise<readonly PodSandbox[]>;
  /** Address of a pod; "" for one on the node's own network. */
  podAddress(id: string): Promise<string>;
  containers(): Promise<readonly Container[]>;
  images(): Promise<readonly Image[]>;
  /** Undefined when it is not there. */
  image(name: string): Promise<Image | undefined>;
  /** Gives the image's id. Takes as long as it takes. @throws containers/image-missing, containers/pull-failed */
  pull(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  /** What containerd is receiving now, whoever asked for it. */
  ingests(): Promise<readonly Ingest[]>;
  close(): void;
}

/** openCri gives a client of the runtime at a socket; nothing is dialled before the first call. */
export function openCri(socket?: string): CriClient {
  const { transport, ask, close } = openRuntime(socket);
  const runtime = createClient(RuntimeService, transport);
  const images = createClient(ImageService, transport);
  const content = createClient(Content, transport);
  return {
    pods: async () => (await ask('list pods', runtime.listPodSandbox({}))).items,
    podAddress: async (id) =>
      (await ask('look at a pod', runtime.podSandboxStatus({ podSandboxId: id }))).status?.network?.ip ?? '',
    containers: async () => (await ask('list containers', runtime.listContainers({}))).containers,
    images: async () => (await ask('list images', images.listImages({}))).images,
    image: async (name) =>
      (await ask('look for an image', images.imageStatus({ image: { image: name } }))).image,
    async pull(name) {
      try {
        const { imageRef } = await images.pullImage({ image: { image: name } }, { timeoutMs: PULL_MS });
        return imageRef;
      } catch (reason) {
        throw pullError(name, reason);
      }
    },
    async remove(name) {
      await ask('remove an image', images.removeImage({ image: { image: name } }));
    },
    async ingests() {
      const { statuses } = await ask('look at downloads', content.listStatuses({}));
      return statuses.map(({ ref, offset, total }) => ({
        ref,
        receivedBytes: Number(offset),
        totalBytes: Number(total),
      }));
    },
    close,
  };
}

/** pullError is what a pull that the runtime gave up on comes to; exported for tests. Pure. */
export function pullError(name: string, reason: unknown): PlinthError {
  const { code, rawMessage } = ConnectError.from(reason);
  // Of "404 Not Found" only the words: the number may be a part of a port or of a digest, which the runtime repeats.
  if (code === Code.NotFound || /not found/i.test(rawMessage))
    return new PlinthError(
      'containers/image-missing',
      `Cannot pull ${name}: the registry does not have it, expected an image`,
    );
  if (
    code === Code.Unknown ||
    code === Code.PermissionDenied ||
    code === Code.InvalidArgument ||
    code === Code.FailedPrecondition
  )
    return new PlinthError(
      'containers/pull-failed',
      `Cannot pull ${name}: ${runtimeWords(rawMessage)}, expected the whole image`,
    );
  return runtimeError(`pull ${name}`, reason);
}
