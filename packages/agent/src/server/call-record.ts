import type { DescMethod } from '@bufbuild/protobuf';
import { Code, type ContextValues, createContextKey } from '@connectrpc/connect';
import type { AuditRecord, AuditSink } from './audit.ts';
import { type CallerVerdict, callerKey, peerKey } from './caller.ts';
import { refusalOf } from './refusal.ts';

/** A call on its way into the record. */
export interface CallRecord {
  /** Set when the first message has come. */
  arguments: string;
  sent: number;
  /** Writes the record of the begin; an act waits for it. */
  begin(): Promise<void>;
  /** Writes the record of the end, once. @param failure undefined for a call that went well */
  end(failure: unknown): void;
}

/** What a method adds to the record of its call beside what was asked: never a secret. */
export const auditNoteKey = createContextKey<{ text: string }>({ text: '' });

/** callRecorder gives the records of one server; calls are numbered in the order they come. */
export function callRecorder(audit: AuditSink, nowMs: () => number) {
  let count = 0;
  return (method: DescMethod, values: ContextValues): CallRecord => {
    const startedMs = nowMs();
    const verdict = values.get(callerKey);
    const call = ++count;
    let ended = false;
    const note = { text: '' };
    values.set(auditNoteKey, note);
    const record = (event: AuditRecord['event'], result: string, reason: string): AuditRecord => ({
      time: new Date(event === 'api.begin' ? startedMs : nowMs()).toISOString(),
      event,
      call,
      method: `${method.parent.name}.${method.name}`,
      ...whoOf(verdict),
      peer: values.get(peerKey),
      arguments: [self.arguments, note.text].filter((text) => text !== '').join(' '),
      result,
      reason,
      sent: self.sent,
      durationMs: event === 'api.begin' ? 0 : Math.max(0, Math.round(nowMs() - startedMs)),
    });
    const self: CallRecord = {
      arguments: '',
      sent: 0,
      async begin() {
        await audit(record('api.begin', '', ''));
      },
      end(failure) {
        if (ended) return;
        ended = true;
        if (failure === undefined) {
          void audit(record('api.call', 'ok', ''));
          return;
        }
        const refusal = refusalOf(failure);
        const reason = verdict.ok ? refusal.rawMessage : verdict.reason;
        void audit(record('api.call', codeName(refusal.code), reason));
      },
    };
    return self;
  };
}

function whoOf(verdict: CallerVerdict): Pick<AuditRecord, 'caller' | 'role' | 'certificate'> {
  return verdict.ok
    ? {
        caller: verdict.caller.commonName,
        role: verdict.caller.role,
        certificate: verdict.caller.certificate ?? '',
      }
    : { caller: verdict.commonName, role: '', certificate: '' };
}

/** The name of a gRPC code as its specification writes it, in lower case: "permission_denied". */
function codeName(code: Code): string {
  return Code[code].replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}
