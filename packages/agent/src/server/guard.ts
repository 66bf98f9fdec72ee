import { type DescMethod, getOption } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { Access, access } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { AuditSink } from './audit.ts';
import { type Caller, type CallerVerdict, type Role, roles } from './caller.ts';
import { refusalOf } from './refusal.ts';

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
 * guard lets a call through when its caller's role allows it, bounds the calls at work, and records every call. A
 * PlinthError of a method reaches the client with its code and hint.
 */
export function guard(audit: AuditSink, nowMs: () => number): Interceptor {
  let running = 0;
  return (next) => async (request) => {
    const startedMs = nowMs();
    const verdict = request.contextValues.get(callerKey);
    let result = 'ok';
    let reason = '';
    try {
      requireAllowed(verdict, request.method);
      if (running >= CALLS_AT_ONCE) throw new ConnectError('too many calls at once', Code.ResourceExhausted);
      running++;
      try {
        return await next(request);
      } finally {
        running--;
      }
    } catch (error) {
      const failure = refusalOf(error);
      result = codeName(failure.code);
      reason = verdict.ok ? failure.rawMessage : verdict.reason;
      throw error instanceof PlinthError ? failure : error;
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

/** How far each role reaches, in the words of the contract (options.proto). */
const reach: Readonly<Record<Role, Access>> = {
  'plinth:reader': Access.READER,
  'plinth:operator': Access.OPERATOR,
  'plinth:admin': Access.ADMIN,
};

/** requireAllowed gives the caller if its role may call the method, or ends the call. A method that names no role is nobody's. */
export function requireAllowed(verdict: CallerVerdict, method: DescMethod): Caller {
  const caller = requireRole(verdict);
  const least = getOption(method, access);
  if (least !== Access.UNSPECIFIED && reach[caller.role] >= least) return caller;
  const [needed] = roles.filter((role) => reach[role] === least);
  throw new ConnectError(
    `not allowed: ${method.name} is for ${needed ?? 'nobody'}, the certificate has ${caller.role}`,
    Code.PermissionDenied,
  );
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
