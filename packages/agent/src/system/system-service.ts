import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { type GetResourcesRequestSchema, SystemService } from '@plinth/api';
import { callerKey, requireRole } from '../server/guard.ts';
import { singleFlight } from '../shared-run.ts';
import type { Sys } from '../sys/sys.ts';
import { getNetwork } from './get-network.ts';
import { getResources } from './get-resources.ts';
import { getTime } from './get-time.ts';
import { type HeldCertificate, listCertificates } from './list-certificates.ts';
import { listCgroups } from './list-cgroups.ts';
import { listDisks } from './list-disks.ts';
import { listMounts } from './list-mounts.ts';
import { listProcesses } from './list-processes.ts';
import { listServices } from './list-services.ts';
import { listSockets } from './list-sockets.ts';
import { listUnsigned } from './list-unsigned.ts';
import { openDiskHealth } from './smart/disk-health.ts';

/** Longest time over which the use of processors may be measured. */
const SAMPLE_MAXIMUM_MS = 5_000;

export interface SystemServiceParts {
  readonly sys: Sys;
  /** Certificates that lie in no file of their own: that of the API, and those of the authorities of its clients. */
  readonly certificates: readonly HeldCertificate[];
}

/** systemService gives the routes of plinth.node.v1.SystemService. Callers that ask the same at the same time share the answer. */
export function systemService({ sys, certificates }: SystemServiceParts): (router: ConnectRouter) => void {
  const services = singleFlight(() => listServices(sys, { allKinds: false }));
  const units = singleFlight(() => listServices(sys, { allKinds: true }));
  const unsigned = singleFlight(() => listUnsigned(sys));
  const diskHealth = openDiskHealth(sys);
  const disks = singleFlight(() => listDisks(sys, diskHealth));
  const mounts = singleFlight(() => listMounts(sys, { all: false }));
  const allMounts = singleFlight(() => listMounts(sys, { all: true }));
  const network = singleFlight(() => getNetwork(sys));
  const waiting = singleFlight(() => listSockets(sys, { listeningOnly: true }));
  const sockets = singleFlight(() => listSockets(sys, { listeningOnly: false }));
  const time = singleFlight(() => getTime(sys));
  return (router) => {
    router.service(SystemService, {
      listServices: ({ allKinds }) => (allKinds ? units() : services()),
      listProcesses: (request, context) => {
        if (request.arguments) requireAdmin(context);
        return listProcesses(sys, {
          sampleMs: sampleMs(request),
          words: request.arguments,
          kernelThreads: request.kernelThreads,
          signal: context.signal,
        });
      },
      listUnsigned: unsigned,
      getResources: (request, context) => getResources(sys, sampleMs(request), context.signal),
      listCgroups: (request, context) =>
        listCgroups(sys, {
          ...{ sampleMs: sampleMs(request), containers: request.containers, signal: context.signal },
        }),
      listDisks: disks,
      listMounts: ({ all }) => (all ? allMounts() : mounts()),
      getNetwork: network,
      listSockets: ({ listeningOnly }) => (listeningOnly ? waiting() : sockets()),
      getTime: time,
      listCertificates: () => listCertificates(sys, certificates),
    });
  };
}

/** Words of command lines may be secrets of workloads. */
function requireAdmin(context: HandlerContext): void {
  const { role } = requireRole(context.values.get(callerKey));
  if (role !== 'plinth:admin')
    throw new ConnectError('not allowed: full command lines are for admins', Code.PermissionDenied);
}

/** Every request with a sample has it under this name. */
function sampleMs({ sample }: Pick<MessageInitShape<typeof GetResourcesRequestSchema>, 'sample'>): number {
  const { seconds = 0n, nanos = 0 } = sample ?? {};
  const durationMs = Number(seconds) * 1000 + nanos / 1e6;
  if (durationMs >= 0 && durationMs <= SAMPLE_MAXIMUM_MS) return durationMs;
  throw new ConnectError(
    `sample is ${durationMs} ms, expected 0 to ${SAMPLE_MAXIMUM_MS} ms`,
    Code.InvalidArgument,
  );
}
