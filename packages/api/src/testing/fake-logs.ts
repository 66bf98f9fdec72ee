import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, type ServiceImpl } from '@connectrpc/connect';
import type {
  ContainerSchema,
  ContainersService,
  ImageSchema,
  PodSchema,
} from '../gen/plinth/node/v1/containers_pb.ts';
import { FileKind, type FilesService } from '../gen/plinth/node/v1/files_pb.ts';
import type {
  LogEntrySchema,
  LogsService,
  ReadLogsRequest,
  WatchEventsResponseSchema,
} from '../gen/plinth/node/v1/logs_pb.ts';
import { refusal } from './refusal.ts';

/** FakeLogs is what a fake node tells of its logs, events, containers, images and files: what it was given. */
export class FakeLogs {
  entries: MessageInitShape<typeof LogEntrySchema>[] = [];
  /** Logs of containers by "NAMESPACE/POD/CONTAINER", where they are others than `entries`; null: the log is not there. */
  readonly ofContainers = new Map<string, MessageInitShape<typeof LogEntrySchema>[] | null>();
  events: MessageInitShape<typeof WatchEventsResponseSchema>[] = [];
  pods: MessageInitShape<typeof PodSchema>[] = [];
  running: MessageInitShape<typeof ContainerSchema>[] = [];
  images: MessageInitShape<typeof ImageSchema>[] = [];
  /** Content by path. */
  texts: Record<string, string> = {};
  /** Whether its log is damaged. */
  unreadable = false;
  /** What it was asked for, in order. */
  readonly asked: ReadLogsRequest[] = [];

  readonly logs: Partial<ServiceImpl<typeof LogsService>> = {
    readLogs: async function* (this: FakeLogs, request: ReadLogsRequest) {
      this.asked.push(request);
      if (this.unreadable) throw refusal('logs/unreadable', 'the journal is damaged', Code.Internal);
      const { source } = request;
      const container = source.case === 'container' ? source.value : undefined;
      const own =
        container && this.ofContainers.get(`${container.namespace}/${container.pod}/${container.container}`);
      if (own === null) throw refusal('logs/not-found', 'the container has no log', Code.NotFound);
      const entries = own ?? this.entries;
      const last = request.lines === undefined ? entries : entries.slice(-request.lines);
      for (const entry of last) yield { entries: { entries: [entry] } };
    }.bind(this),
    watchEvents: async function* (this: FakeLogs) {
      yield* this.events;
    }.bind(this),
  };

  readonly containers: Partial<ServiceImpl<typeof ContainersService>> = {
    listPods: () => ({ pods: this.pods }),
    listContainers: () => ({ containers: this.running }),
    listImages: () => ({ images: this.images }),
    pullImage: async function* (this: FakeLogs, { image }: { image: string }) {
      yield { receivedBytes: 1024n, totalBytes: 4096n };
      this.images.push({ id: `sha256:${image}`, tags: [image], sizeBytes: 4096n });
      yield { receivedBytes: 4096n, totalBytes: 4096n, imageId: `sha256:${image}` };
    }.bind(this),
    removeImage: ({ image }) => {
      const found = this.images.find(({ id, tags }) => id === image || tags?.includes(image));
      if (!found) throw refusal('containers/image-missing', `the node has no image ${image}`, Code.NotFound);
      this.images = this.images.filter((each) => each !== found);
      return { imageId: found.id ?? '' };
    },
  };

  readonly files: Partial<ServiceImpl<typeof FilesService>> = {
    listFiles: ({ path }) => ({
      entries: Object.entries(this.texts)
        .filter(([name]) => name.startsWith(path))
        .map(([name, text]) => ({
          name: name.slice(path === '' ? 0 : path.length + 1),
          kind: FileKind.FILE,
          sizeBytes: BigInt(Buffer.byteLength(text)),
          mode: 0o644,
        })),
    }),
    readFile: async function* (this: FakeLogs, { path }: { path: string }) {
      const text = this.texts[path];
      if (text === undefined)
        throw refusal('files/not-allowed', `${path} is not allowed`, Code.PermissionDenied);
      const bytes = Buffer.from(text);
      yield { sizeBytes: BigInt(bytes.length), chunk: bytes, last: true };
    }.bind(this),
  };
}
