import type { ConnectRouter } from '@connectrpc/connect';
import type { BootstrapContainer } from '@plinth/config';
import type { CheckSpec } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { type CriClient, openCri } from '../containers/cri-client.ts';
import { type OwnContainers, openOwnContainers } from '../containers/own/own-containers.ts';
import { tmpfilesPipes } from '../containers/own/pipes.ts';
import { readSystemStart } from '../reports/system-start.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { bootstrapContainersService } from './bootstrap-containers-service.ts';
import { containerFiles } from './container-files.ts';
import { openBootstrapContainers } from './open-bootstrap-containers.ts';

export interface ServeBootstrapParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly specs: readonly BootstrapContainer[];
  readonly signal: AbortSignal;
  /** Default: the node's. */
  readonly cri?: CriClient;
  readonly own?: OwnContainers;
}

/** Everything of plinthd about bootstrap containers, ready to be served. */
export interface ServedBootstrapContainers {
  readonly routes: (router: ConnectRouter) => void;
  readonly checks: readonly CheckSpec[];
  /** Fulfilled when workloads may start. @throws bootstrap/essential-failed */
  readonly beforeWorkloads: () => Promise<void>;
}

/** serveBootstrapContainers begins with what is due; it does not wait for it. */
export async function serveBootstrapContainers(
  parts: ServeBootstrapParts,
): Promise<ServedBootstrapContainers> {
  const { sys, cri = openCri() } = parts;
  const containers = await openBootstrapContainers({
    ...parts,
    ...{ cri, own: parts.own ?? openOwnContainers({ cri }), nowMs: sys.nowMs },
    bootId: (await readSystemStart(sys)).startId,
    files: containerFiles(
      `${SYSTEM_STATE}/bootstrap-containers`,
      tmpfilesPipes(sys, parts.store, 'bootstrap-pipes.conf'),
    ),
  });
  return {
    routes: bootstrapContainersService(containers),
    checks: containers.checks,
    beforeWorkloads: containers.beforeWorkloads,
  };
}
