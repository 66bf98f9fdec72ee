/** One call, for the record. Never holds request or answer as they are. */
export interface AuditRecord {
  readonly time: string;
  /** "api.begin" before an act is done and when a stream starts, "api.call" when a call has ended. */
  readonly event: 'api.begin' | 'api.call';
  /** Number of the call since plinthd started; begin and end of one call have the same. */
  readonly call: number;
  /** "EtcdService.SnapshotEtcd". */
  readonly method: string;
  /** Common name of the caller, "" when unknown. */
  readonly caller: string;
  readonly role: string;
  /** SHA-256 of the caller's certificate, "" when unknown. */
  readonly certificate: string;
  readonly peer: string;
  /** What was asked, without secrets: see describe-request.ts. */
  readonly arguments: string;
  /** "ok", or the gRPC code in lower case; "" at the begin. */
  readonly result: string;
  /** Why a call was refused or failed; "" otherwise. */
  readonly reason: string;
  /** Messages that were sent. */
  readonly sent: number;
  readonly durationMs: number;
}

/**
 * Where records go. May give a promise, which never rejects: an act begins when that of its "api.begin" record is
 * fulfilled; nothing else is waited for.
 */
export type AuditSink = (record: AuditRecord) => unknown;

/** Bound on text that comes from a certificate or an error. */
const TEXT_LIMIT = 256;

/** boundedRecord cuts the texts of a record that somebody else chose. */
export function boundedRecord(record: AuditRecord): AuditRecord {
  const cut = (text: string) => text.slice(0, TEXT_LIMIT);
  const { method, caller, role, peer, reason } = record;
  return {
    ...record,
    ...{ method: cut(method), caller: cut(caller), role: cut(role), peer: cut(peer), reason: cut(reason) },
  };
}

/** auditLine renders a record as one line of JSON. JSON escapes line breaks, so no name can forge a second line. */
export function auditLine(record: AuditRecord): string {
  return JSON.stringify(boundedRecord(record));
}
