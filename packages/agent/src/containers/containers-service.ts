import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import {
  ContainerState,
  ContainersService,
  ListContainersResponseSchema,
  ListImagesResponseSchema,
  ListPodsResponseSchema,
  PullImageResponseSchema,
  RemoveImageResponseSchema,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { inParallel } from '../in-parallel.ts';
import { refusing, refusingStream, type Statuses } from '../refuse.ts';
import type { CriClient } from './cri-client.ts';
import { ContainerState as CriState, PodSandboxState } from './gen/cri_pb.ts';
import { checkImageName } from './image-name.ts';
import { pullImage } from './pull-image.ts';

const PULL_LIMIT_MS = 60 * 60_000;

const STATUSES: Statuses = {
  'containers/runtime-unreachable': Code.Unavailable,
  'containers/image-missing': Code.NotFound,
  'containers/image-invalid': Code.InvalidArgument,
  'containers/image-kept': Code.FailedPrecondition,
  'containers/pull-failed': Code.Unavailable,
};

const STATES: Partial<Record<CriState, ContainerState>> = {
  [CriState.CONTAINER_CREATED]: ContainerState.CREATED,
  [CriState.CONTAINER_RUNNING]: ContainerState.RUNNING,
  [CriState.CONTAINER_EXITED]: ContainerState.EXITED,
};

/** How many pods are asked for their addresses at once. */
const PODS_AT_ONCE = 8;

/** containersService gives the routes of plinth.node.v1.ContainersService. */
export function containersService(cri: CriClient): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof ContainersService> = {
    listPods: () =>
      refusing(STATUSES, async () => {
        const pods = await inParallel(await cri.pods(), PODS_AT_ONCE, async (pod) => {
          const ready = pod.state === PodSandboxState.SANDBOX_READY;
          return {
            id: pod.id,
            namespace: pod.metadata?.namespace ?? '',
            name: pod.metadata?.name ?? '',
            uid: pod.metadata?.uid ?? '',
            ready,
            createdAt: time(pod.createdAt),
            // A pod can go between the two questions.
            address: ready ? await cri.podAddress(pod.id).catch(() => '') : '',
            attempt: pod.metadata?.attempt ?? 0,
          };
        });
        return create(ListPodsResponseSchema, {
          pods: pods.toSorted(
            (a, b) => compare([a.namespace, a.name], [b.namespace, b.name]) || b.attempt - a.attempt,
          ),
        });
      }),
    listContainers: () =>
      refusing(STATUSES, async () => {
        const containers = (await cri.containers()).map((container) => ({
          id: container.id,
          name: container.metadata?.name ?? '',
          // The kubelet's own labels: the pod may be gone already.
          namespace: container.labels['io.kubernetes.pod.namespace'] ?? '',
          pod: container.labels['io.kubernetes.pod.name'] ?? '',
          podId: container.podSandboxId,
          image: container.image?.userSpecifiedImage || (container.image?.image ?? ''),
          imageId: container.imageId || container.imageRef,
          state: STATES[container.state] ?? ContainerState.UNSPECIFIED,
          createdAt: time(container.createdAt),
          attempt: container.metadata?.attempt ?? 0,
        }));
        return create(ListContainersResponseSchema, {
          containers: containers.toSorted(
            (a, b) =>
              compare([a.namespace, a.pod, a.name], [b.namespace, b.pod, b.name]) || b.attempt - a.attempt,
          ),
        });
      }),
    listImages: () =>
      refusing(STATUSES, async () => {
        const images = (await cri.images()).map(({ id, repoTags, repoDigests, size, pinned }) => ({
          id,
          tags: repoTags,
          digests: repoDigests,
          sizeBytes: size,
          pinned,
        }));
        const nameOf = ({ tags, digests, id }: (typeof images)[number]) => tags[0] ?? digests[0] ?? id;
        return create(ListImagesResponseSchema, {
          images: images.toSorted((a, b) => compare([nameOf(a)], [nameOf(b)])),
        });
      }),
    pullImage: ({ image }, { signal }) => refusingStream(STATUSES, pulled(cri, image, signal)),
    removeImage: ({ image }) =>
      refusing(STATUSES, async () =>
        create(RemoveImageResponseSchema, { imageId: await remove(cri, image) }),
      ),
  };
  return (router) => {
    router.service(ContainersService, routes, { maxTimeoutMs: PULL_LIMIT_MS });
  };
}

async function* pulled(cri: CriClient, image: string, signal: AbortSignal) {
  for await (const { receivedBytes, totalBytes, imageId = '' } of pullImage(
    cri,
    checkImageName(image),
    signal,
  ))
    yield create(PullImageResponseSchema, {
      receivedBytes: BigInt(receivedBytes),
      totalBytes: BigInt(totalBytes),
      imageId,
    });
}

/** The runtime itself would take the image from under a container, which then could not start again. */
async function remove(cri: CriClient, name: string): Promise<string> {
  const isId = /^(?:sha256:)?[0-9a-f]{64}$/.test(name);
  const found = await cri.image(isId ? name : checkImageName(name));
  if (!found)
    throw new PlinthError(
      'containers/image-missing',
      `Cannot remove ${name}: the node does not have it, expected an image`,
    );
  const user = (await cri.containers()).find(
    ({ imageId, imageRef, image }) =>
      [imageId, imageRef, image?.image].includes(found.id) ||
      [imageRef, image?.image].some((ref) => ref !== undefined && found.repoDigests.includes(ref)),
  );
  const reason = found.pinned
    ? 'it is part of the system'
    : user && `container ${user.metadata?.name} uses it`;
  if (reason)
    throw new PlinthError(
      'containers/image-kept',
      `Cannot remove ${name}: ${reason}, expected one that nothing needs`,
    );
  await cri.remove(found.id);
  return found.id;
}

/** Nanoseconds since 1970. */
function time(ns: bigint): Timestamp {
  return create(TimestampSchema, { seconds: ns / 1_000_000_000n, nanos: Number(ns % 1_000_000_000n) });
}

function compare(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((text, at) => text !== b[at]);
  return index < 0 ? 0 : (a[index] ?? '') < (b[index] ?? '') ? -1 : 1;
}
