import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';
import { AuditService, GetAuditHeadResponseSchema, ReadAuditLogResponseSchema } from '@plinth/api';
import type { NodeAudit } from './open-node-audit.ts';

/** auditService gives the routes of plinth.node.v1.AuditService. */
export function auditService({ log, limitBytes }: NodeAudit): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof AuditService> = {
    async getAuditHead() {
      const { sequence, hash, firstSequence, sizeBytes } = await log.head();
      return create(GetAuditHeadResponseSchema, {
        ...{ sequence: BigInt(sequence), hash, firstSequence: BigInt(firstSequence) },
        persistent: log.concern() === undefined,
        concern: log.concern() ?? '',
        ...{ sizeBytes: BigInt(sizeBytes), limitBytes: BigInt(limitBytes) },
      });
    },
    async *readAuditLog({ fromSequence, since, follow }, { signal }) {
      const sinceMs = since && timestampMs(since);
      const from = Math.max(1, Number(fromSequence));
      for await (const lines of log.read(from, follow, signal)) {
        const wanted = sinceMs === undefined ? lines : lines.filter((line) => timeOf(line) >= sinceMs);
        if (wanted.length > 0) yield create(ReadAuditLogResponseSchema, { lines: [...wanted] });
      }
    },
  };
  return (router) => {
    router.service(AuditService, routes);
  };
}

/** When a line was written; what cannot be read is never left out. */
function timeOf(line: string): number {
  const [, time = ''] = /"time":"([^"]{20,30})"/.exec(line) ?? [];
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}
