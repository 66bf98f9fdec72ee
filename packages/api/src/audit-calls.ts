import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  AuditService,
  type GetAuditHeadResponse,
  type ReadAuditLogRequestSchema,
} from './gen/plinth/node/v1/audit_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';

/** The record of who called what on a node. */
export interface AuditCalls {
  head(): Promise<GetAuditHeadResponse>;
  /** Lines as they are stored, several at a time. Ends when its reader stops; throws a PlinthError when it breaks. */
  read(request?: MessageInitShape<typeof ReadAuditLogRequestSchema>): AsyncGenerator<readonly string[]>;
}

/** auditCalls are the calls of AuditService over a transport. */
export function auditCalls(transport: Transport, answer: Answer, fail: Fail): AuditCalls {
  const client = createClient(AuditService, transport);
  return {
    head: () => answer('GetAuditHead', client.getAuditHead({})),
    async *read(request = {}) {
      const answers = streamCall('ReadAuditLog', fail, (options) => client.readAuditLog(request, options));
      for await (const { lines } of answers) yield lines;
    },
  };
}
