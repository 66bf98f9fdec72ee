import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import { FileKind, FilesService, ListFilesResponseSchema, ReadFileResponseSchema } from '@plinth/api';
import { refusing, refusingStream, type Statuses } from '../refuse.ts';
import { listFiles, type ReadFileOptions, readFilePieces } from './read-files.ts';

/** A journal file of some hundred MiB over a slow line. */
const READ_LIMIT_MS = 60 * 60_000;

const STATUSES: Statuses = {
  'files/not-allowed': Code.PermissionDenied,
  'files/missing': Code.NotFound,
  'files/unreadable': Code.FailedPrecondition,
};

const KINDS = {
  file: FileKind.FILE,
  folder: FileKind.FOLDER,
  link: FileKind.LINK,
  other: FileKind.UNSPECIFIED,
} as const;

/** filesService gives the routes of plinth.node.v1.FilesService. */
export function filesService(options: ReadFileOptions = {}): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof FilesService> = {
    listFiles: ({ path }) =>
      refusing(STATUSES, async () => {
        const { entries, cut } = await listFiles(path, options);
        return create(ListFilesResponseSchema, {
          cut,
          entries: entries.map(({ kind, sizeBytes, modifiedAtMs, ...entry }) => ({
            ...entry,
            kind: KINDS[kind],
            sizeBytes: BigInt(sizeBytes),
            modifiedAt: timestampFromMs(Math.floor(modifiedAtMs)),
          })),
        });
      }),
    readFile: ({ path }) => refusingStream(STATUSES, pieces(path, options)),
  };
  return (router) => {
    router.service(FilesService, routes, { maxTimeoutMs: READ_LIMIT_MS });
  };
}

async function* pieces(path: string, options: ReadFileOptions) {
  for await (const { sizeBytes, bytes, last } of readFilePieces(path, options))
    yield create(ReadFileResponseSchema, { sizeBytes: BigInt(sizeBytes), chunk: bytes, last });
}
