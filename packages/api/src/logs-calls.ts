import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type LogEntry,
  LogsService,
  type ReadLogsRequestSchema,
  type WatchEventsRequestSchema,
  type WatchEventsResponse,
} from './gen/plinth/node/v1/logs_pb.ts';
import type { Fail } from './stream-calls.ts';
import { streamCall } from './stream-calls.ts';

/** Logs and events of a node. A stream ends when its reader stops, and throws a PlinthError when it breaks. */
export interface LogsCalls {
  /** Entries of the journal or of a container's log, oldest first, several at a time as the node sends them. */
  read(request: MessageInitShape<typeof ReadLogsRequestSchema>): AsyncGenerator<readonly LogEntry[]>;
  /** What the node remembers, then what happens. */
  events(request?: MessageInitShape<typeof WatchEventsRequestSchema>): AsyncGenerator<WatchEventsResponse>;
}

/** logsCalls are the calls of LogsService over a transport. */
export function logsCalls(transport: Transport, fail: Fail): LogsCalls {
  const client = createClient(LogsService, transport);
  return {
    async *read(request) {
      const answers = streamCall('ReadLogs', fail, (options) => client.readLogs(request, options));
      for await (const { entries } of answers) if (entries) yield entries.entries;
    },
    events: (request = {}) =>
      streamCall('WatchEvents', fail, (options) => client.watchEvents(request, options)),
  };
}
