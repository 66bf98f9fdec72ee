import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type ApplyFirstConfigRequestSchema,
  type ApplyFirstConfigResponse,
  type GetMaintenanceResponse,
  MaintenanceService,
  type PlanFirstConfigRequestSchema,
  type PlanFirstConfigResponse,
} from './gen/plinth/node/v1/maintenance_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What a node without a config answers to callers without a certificate; see maintenance.proto. */
export interface MaintenanceCalls {
  get(): Promise<GetMaintenanceResponse>;
  plan(request: MessageInitShape<typeof PlanFirstConfigRequestSchema>): Promise<PlanFirstConfigResponse>;
  apply(request: MessageInitShape<typeof ApplyFirstConfigRequestSchema>): Promise<ApplyFirstConfigResponse>;
}

/** maintenanceCalls are the calls of MaintenanceService over a transport. */
export function maintenanceCalls(transport: Transport, answer: Answer): MaintenanceCalls {
  const client = createClient(MaintenanceService, transport);
  return {
    get: () => answer('GetMaintenance', client.getMaintenance({})),
    plan: (request) => answer('PlanFirstConfig', client.planFirstConfig(request)),
    apply: (request) => answer('ApplyFirstConfig', client.applyFirstConfig(request)),
  };
}
