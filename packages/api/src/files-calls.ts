import { createClient, type Transport } from '@connectrpc/connect';
import { PlinthError } from '@plinth/base';
import { FilesService, type ListFilesResponse } from './gen/plinth/node/v1/files_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';

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
    async *read(path) {
      let complete = false;
      for await (const { chunk, last } of streamCall('ReadFile', fail, (options) =>
        client.readFile({ path }, options),
      )) {
        complete = last;
        yield chunk;
      }
      if (!complete)
        throw new PlinthError(
          'api/broken-transfer',
          `Cannot receive ${path}: it ended early, expected all of it`,
        );
    },
  };
}
