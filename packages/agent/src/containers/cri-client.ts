import { connect } from 'node:net';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { PlinthError } from '@plinth/base';
import { Content } from './gen/containerd_pb.ts';
import { type Container, type Image, ImageService, type PodSandbox, RuntimeService } from './gen/cri_pb.ts';

/** The socket of the node's containerd. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

const CALL_MS = 10_000;
const PULL_MS = 60 * 60_000;
/** A node has some hundred containers and images at most; each is told in less than 4 KiB. */
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;
/** Where containerd keeps what belongs to Kubernetes. */
export const NAMESPACE = { 'containerd-namespace': 'k8s.io' };

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
export function openCri(socket = CONTAINERD_SOCKET): CriClient {
  // gRPC over a socket of the Unix family needs a name all the same.
  const sessionManager = new Http2SessionManager(
    'http://localhost',
    { idleConnectionTimeoutMs: 30_000 },
    { createConnection: () => connect(socket) },
  );
  const transport = createGrpcTransport({
    baseUrl: 'http://localhost',
    sessionManager,
    acceptCompression: [],
    readMaxBytes: ANSWER_LIMIT_BYTES,
    defaultTimeoutMs: CALL_MS,
  });
  const runtime = createClient(RuntimeService, transport);
  const images = createClient(ImageService, transport);
  const content = createClient(Content, transport);
  const ask = async <T>(what: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (reason) {
      throw runtimeError(what, reason);
    }
  };
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
      const { statuses } = await ask('look at downloads', content.listStatuses({}, { headers: NAMESPACE }));
      return statuses.map(({ ref, offset, total }) => ({
        ref,
        receivedBytes: Number(offset),
        totalBytes: Number(total),
      }));
    },
    close: () => sessionManager.abort(),
  };
}

/** runtimeError is what a failed call to the runtime becomes. */
export function runtimeError(what: string, reason: unknown): PlinthError {
  const { code, rawMessage } = ConnectError.from(reason);
  if (
    code === Code.Unavailable ||
    code === Code.DeadlineExceeded ||
    code === Code.Canceled ||
    isSocketError(reason)
  )
    return new PlinthError(
      'containers/runtime-unreachable',
      `Cannot ${what}: the container runtime does not answer, expected it at its socket`,
      { retryable: true, cause: reason },
    );
  return new PlinthError(
    'containers/failed',
    `Cannot ${what}: the container runtime says "${cut(rawMessage)}", expected it to be done`,
  );
}

function pullError(name: string, reason: unknown): PlinthError {
  const { code, rawMessage } = ConnectError.from(reason);
  if (code === Code.NotFound || /not found|404/i.test(rawMessage))
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
      `Cannot pull ${name}: ${cut(rawMessage)}, expected the whole image`,
    );
  return runtimeError(`pull ${name}`, reason);
}

/** A socket that is not there fails below gRPC. */
function isSocketError(reason: unknown): boolean {
  for (let each = reason; each instanceof Error; each = each.cause)
    if ('code' in each && typeof each.code === 'string' && /^(?:ENOENT|ECONN|EPIPE|EACCES)/.test(each.code))
      return true;
  return false;
}

/** Words of the runtime may quote what a registry sent, and addresses with credentials in them. */
function cut(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//').slice(0, 500);
}
