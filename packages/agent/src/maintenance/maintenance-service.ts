import { create } from '@bufbuild/protobuf';
import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';
import {
  ApplyFirstConfigResponseSchema,
  CONFIG_LIMIT_BYTES,
  GetMaintenanceResponseSchema,
  MaintenanceService,
  PlanFirstConfigResponseSchema,
} from '@plinth/api';
import { type MachineConfig, planConfig } from '@plinth/config';
import { checkReason, checkSize } from '../config/check-request.ts';
import { planMessage } from '../config/config-messages.ts';
import { hashOf } from '../config/transaction/config-store.ts';
import { parseGiven } from '../config/transaction/operations.ts';
import type { Versions } from '../reports/versions.ts';
import { callerKey, requireRole } from '../server/guard.ts';

/** A first config, and who gives it. */
export interface FirstConfig {
  readonly config: MachineConfig;
  readonly bytes: Buffer;
  /** "stranger at 192.0.2.7". */
  readonly author: string;
  readonly reason: string;
}

export interface MaintenanceParts {
  readonly nodeId: string;
  readonly agentVersion: string;
  versions(): Promise<Versions>;
  /** Why the node waits. */
  readonly code: () => string;
  /**
   * Stores the config; from then on the node goes by it. Gives the number of the revision.
   * @throws config/already-given, config/state-lost
   */
  take(first: FirstConfig): Promise<number>;
}

/** Room for the fields around the config. */
const MESSAGE_LIMIT_BYTES = CONFIG_LIMIT_BYTES + 16 * 1024;

/** maintenanceService gives the routes of plinth.node.v1.MaintenanceService. */
export function maintenanceService(parts: MaintenanceParts): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof MaintenanceService> = {
    async getMaintenance() {
      const { imageVersion, kernelRelease } = await parts.versions();
      return create(GetMaintenanceResponseSchema, {
        nodeId: parts.nodeId,
        agentVersion: parts.agentVersion,
        imageVersion,
        kernel: kernelRelease,
        code: parts.code(),
      });
    },
    planFirstConfig({ config: text }) {
      const config = readFirst(text);
      // No base and no mode: there is nothing it starts from, and nothing it could go back to.
      const planned = { plan: planConfig(undefined, config), defaultMode: 'auto', baseHash: '' } as const;
      return create(PlanFirstConfigResponseSchema, {
        plan: planMessage(planned),
        nodeName: config.machine.name,
      });
    },
    async applyFirstConfig({ config: text, reason }, context) {
      checkReason(reason);
      const config = readFirst(text);
      const bytes = Buffer.from(text);
      const author = requireRole(context.values.get(callerKey)).commonName;
      const revision = await parts.take({ config, bytes, author, reason });
      return create(ApplyFirstConfigResponseSchema, {
        ...{ revision, hash: hashOf(bytes), nodeName: config.machine.name },
      });
    },
  };
  return (router) => {
    router.service(MaintenanceService, routes, { readMaxBytes: MESSAGE_LIMIT_BYTES });
  };
}

function readFirst(text: Uint8Array): MachineConfig {
  checkSize(text);
  return parseGiven(text);
}
