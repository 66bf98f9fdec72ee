import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import { EventKind, LogsService, WatchEventsResponseSchema } from '@plinth/api';
import type { EventBus, EventTopic } from '../events/event-bus.ts';
import { refusingStream, type Statuses } from '../refuse.ts';
import type { Sys } from '../sys/sys.ts';
import { readContainer } from './read-container.ts';
import { readJournal } from './read-journal.ts';

/** Whoever follows a log does so for as long as a person looks. */
const STREAM_LIMIT_MS = 7 * 24 * 60 * 60_000;

const STATUSES: Statuses = {
  'logs/request-invalid': Code.InvalidArgument,
  'logs/boot-missing': Code.NotFound,
  'logs/container-missing': Code.NotFound,
  'logs/busy': Code.ResourceExhausted,
};

const KINDS: Readonly<Record<EventTopic, EventKind>> = {
  unit: EventKind.UNIT,
  act: EventKind.ACT,
  health: EventKind.HEALTH,
  config: EventKind.CONFIG,
  node: EventKind.NODE,
};

export interface LogsServiceParts {
  readonly sys: Pick<Sys, 'stream'>;
  readonly events: EventBus;
  /** Where logs of containers lie; default: where the kubelet has them. */
  readonly podLogs?: string;
}

/** logsService gives the routes of plinth.node.v1.LogsService. */
export function logsService({ sys, events, podLogs }: LogsServiceParts): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof LogsService> = {
    readLogs: (request, { signal }) =>
      refusingStream(
        STATUSES,
        request.source.case === 'container'
          ? readContainer(request, signal, podLogs === undefined ? {} : { root: podLogs })
          : readJournal(sys, request, signal),
      ),
    async *watchEvents({ afterSequence, onlyNew }, { signal }) {
      const after = onlyNew ? undefined : Number(afterSequence);
      for await (const { event, missed } of events.subscribe(signal, after)) {
        const { sequence, timeMs, topic, subject, state, text } = event;
        yield create(WatchEventsResponseSchema, {
          missed: BigInt(missed),
          event: {
            sequence: BigInt(sequence),
            time: timestampFromMs(timeMs),
            kind: KINDS[topic],
            ...{ subject, state, text },
          },
        });
      }
    },
  };
  return (router) => {
    router.service(LogsService, routes, { maxTimeoutMs: STREAM_LIMIT_MS });
  };
}
