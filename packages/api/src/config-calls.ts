import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type ApplyConfigRequestSchema,
  type ApplyConfigResponse,
  type ApplyDocumentsRequestSchema,
  type ApplyDocumentsResponse,
  ConfigService,
  type GetConfigResponse,
  type GetConfigStatusResponse,
  type ListConfigHistoryResponse,
  type PlanConfigRequestSchema,
  type PlanConfigResponse,
  type PlanDocumentsResponse,
  type RollbackConfigRequestSchema,
  type RollbackConfigResponse,
} from './gen/plinth/node/v1/config_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** Largest machine config a node takes, in bytes. */
export const CONFIG_LIMIT_BYTES = 256 * 1024;

/** The machine config of a node; see config.proto for what each call does. */
export interface ConfigCalls {
  status(): Promise<GetConfigStatusResponse>;
  history(): Promise<ListConfigHistoryResponse>;
  /** @param revision 0 for the one in effect */
  get(revision?: number): Promise<GetConfigResponse>;
  plan(request: MessageInitShape<typeof PlanConfigRequestSchema>): Promise<PlanConfigResponse>;
  apply(request: MessageInitShape<typeof ApplyConfigRequestSchema>): Promise<ApplyConfigResponse>;
  /** Plans for documents that take the place of those of their kind in the config in effect. */
  planDocuments(documents: Uint8Array): Promise<PlanDocumentsResponse>;
  applyDocuments(
    request: MessageInitShape<typeof ApplyDocumentsRequestSchema>,
  ): Promise<ApplyDocumentsResponse>;
  confirm(revision: number): Promise<void>;
  rollback(request: MessageInitShape<typeof RollbackConfigRequestSchema>): Promise<RollbackConfigResponse>;
}

/** configCalls are the calls of ConfigService over a transport. */
export function configCalls(transport: Transport, answer: Answer): ConfigCalls {
  const client = createClient(ConfigService, transport);
  return {
    status: () => answer('GetConfigStatus', client.getConfigStatus({})),
    history: () => answer('ListConfigHistory', client.listConfigHistory({})),
    get: (revision = 0) => answer('GetConfig', client.getConfig({ revision })),
    plan: (request) => answer('PlanConfig', client.planConfig(request)),
    apply: (request) => answer('ApplyConfig', client.applyConfig(request)),
    planDocuments: (documents) => answer('PlanDocuments', client.planDocuments({ documents })),
    applyDocuments: (request) => answer('ApplyDocuments', client.applyDocuments(request)),
    confirm: async (revision) => {
      await answer('ConfirmConfig', client.confirmConfig({ revision }));
    },
    rollback: (request) => answer('RollbackConfig', client.rollbackConfig(request)),
  };
}
