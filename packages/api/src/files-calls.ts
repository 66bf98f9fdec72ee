import { createClient, type Transport } from '@connectrpc/connect';
import { FilesService, type ListFilesResponse } from './gen/plinth/node/v1/files_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';
import { checkLast } from './transfer.ts';

/** Files of a node that may be looked at. Each call throws a PlinthError. */
export interface FilesCalls {
  /** @param path absolute; none for the places that may be read */
  list(path?: string): Promise<ListFilesResponse>;
  /** Gives the content piece by piece. @throws api/broken-transfer when the end does not come */
  read(path: string): AsyncGenerator<Uint8Array>;
}

/** filesCalls are the calls of FilesService over a transport. */
export function filesCalls(transport: Transport, answer: Answer, fail: Fail): FilesCalls {
  const client = createClient(FilesService, transport);
  return {
    list: (path = '') => answer('ListFiles', client.listFiles({ path })),
    read: (path) =>
      checkLast(
        streamCall('ReadFile', fail, (options) => client.readFile({ path }, options)),
        path,
      ),
  };
}
