import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';
import {
  BootstrapContainerState,
  BootstrapContainersService,
  ListBootstrapContainersResponseSchema,
} from '@plinth/api';
import type { BootstrapContainers, ContainerView } from './open-bootstrap-containers.ts';

const STATES = {
  running: BootstrapContainerState.RUNNING,
  succeeded: BootstrapContainerState.SUCCEEDED,
  failed: BootstrapContainerState.FAILED,
} as const;

/** bootstrapContainersService gives the routes of plinth.node.v1.BootstrapContainersService. */
export function bootstrapContainersService(
  containers: Pick<BootstrapContainers, 'list'>,
): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof BootstrapContainersService> = {
    listBootstrapContainers: () =>
      create(ListBootstrapContainersResponseSchema, { containers: containers.list().map(messageOf) }),
  };
  return (router) => {
    router.service(BootstrapContainersService, routes);
  };
}

function messageOf({ spec, record, due }: ContainerView) {
  const { name, image, essential, run } = spec;
  if (!record) return { name, image, essential, run, due, state: BootstrapContainerState.WAITING };
  return {
    ...{ name, image, essential, run, due, state: STATES[record.state], attempts: record.attempts },
    startedAt: timestampFromMs(record.startedAtMs),
    ...(record.state !== 'running' && { duration: durationFromMs(record.durationMs) }),
    ...(record.exitCode !== undefined && { exitCode: record.exitCode }),
    ...{ reason: record.reason, output: record.output },
  };
}
