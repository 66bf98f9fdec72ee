import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import type { AuditSink } from './audit.ts';
import type { Caller, CallerVerdict } from './caller.ts';

/** Who calls, put into each request's context when it arrives. */
export const callerKey = createContextKey<CallerVerdict>({
  ok: false,
  commonName: '',
  reason: 'not identified',
});
/** Address of the client, for the record. */
export const peerKey = createContextKey('');

/** Calls that may be at work at once in the whole server. */
const CALLS_AT_ONCE = 16;

/**
 * guard lets a call through when its caller has a role, bounds the calls at work, and records every call.
 * All methods of this version only read, so each role may call all of them.
 */
export function guard(audit: AuditSink, nowMs: () => number): Interceptor {
  let running = 0;
  return (next) => async (request) => {
    const startedMs = nowMs();
    const verdict = request.contextValues.get(callerKey);
    let result = 'ok';
    let reason = '';
    try {
      requireRole(verdict);
      if (running >= CALLS_AT_ONCE) throw new ConnectError('too many calls at once', Code.ResourceExhausted);
      running++;
      try {
        return await next(request);
      } finally {
        running--;
      }
    } catch (error) {
      const failure = ConnectError.from(error, Code.Internal);
      result = codeName(failure.code);
      reason = verdict.ok ? failure.rawMessage : verdict.reason;
      throw error;
    } finally {
      audit({
        time: new Date(startedMs).toISOString(),
        event: 'api.call',
        method: request.method.name,
        caller: verdict.ok ? verdict.caller.commonName : verdict.commonName,
        role: verdict.ok ? verdict.caller.role : '',
        peer: request.contextValues.get(peerKey),
        result,
        reason,
        durationMs: Math.max(0, Math.round(nowMs() - startedMs)),
      });
    }
  };
}

/** requireRole gives the caller or ends the call. */
export function requireRole(verdict: CallerVerdict): Caller {
  if (verdict.ok) return verdict.caller;
  throw new ConnectError(`not allowed: ${verdict.reason}`, Code.PermissionDenied);
}

/** The name of a gRPC code as its specification writes it, in lower case: "permission_denied". */
function codeName(code: Code): string {
  return Code[code].replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}
