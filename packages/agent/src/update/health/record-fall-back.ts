import type { AuditSink } from '../../server/audit.ts';
import type { FallBackRecord } from './fall-back-record.ts';

/** fallBackRecorder writes a fall-back into the audit log: nobody called, and what the node runs has changed all the same. */
export function fallBackRecorder(audit: AuditSink): (record: FallBackRecord) => void {
  return ({ from, to, foundAtMs, code, reason }) => {
    void audit({
      time: new Date(foundAtMs).toISOString(),
      event: 'api.call',
      call: 0,
      method: 'node.FellBack',
      ...{ caller: 'plinthd', role: '', certificate: '', peer: '' },
      arguments: `from=${from} to=${to}`,
      ...{ result: 'ok', reason: `${reason} [${code}]`, sent: 0, durationMs: 0 },
    });
  };
}
