/** One call, for the record. Never holds request or answer. */
export interface AuditRecord {
  readonly time: string;
  readonly event: 'api.call';
  readonly method: string;
  /** Common name of the caller, "" when unknown. */
  readonly caller: string;
  readonly role: string;
  readonly peer: string;
  /** "ok", or the gRPC code in lower case. */
  readonly result: string;
  /** Why a call was refused or failed; "" otherwise. */
  readonly reason: string;
  readonly durationMs: number;
}

/** Where records go; plinthd writes one JSON line each to its standard output, which is the journal. */
export type AuditSink = (record: AuditRecord) => void;

/** Bound on text that comes from a certificate or an error. */
const TEXT_LIMIT = 256;

/** auditLine renders a record as one line of JSON. JSON escapes line breaks, so no name can forge a second line. */
export function auditLine(record: AuditRecord): string {
  return JSON.stringify(record, (_key, value) =>
    typeof value === 'string' ? value.slice(0, TEXT_LIMIT) : value,
  );
}
