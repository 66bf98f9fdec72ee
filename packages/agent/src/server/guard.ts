import { type DescMethod, getOption, type Message } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from '@connectrpc/connect';
import { Access, access } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type AccessRole, type JudgedNode, judgeAccess } from '../access/judge-access.ts';
import type { AuditSink } from './audit.ts';
import { type Budget, openBudget } from './budget.ts';
import { openCallRate, type RateLimits } from './call-rate.ts';
import { type CallRecord, callRecorder } from './call-record.ts';
import { type Caller, type CallerVerdict, callerKey, peerKey, STRANGER } from './caller.ts';
import { describeRequest } from './describe-request.ts';
import { refusalOf } from './refusal.ts';
import { watchStream } from './watch-stream.ts';

export { callerKey, peerKey } from './caller.ts';

/** Brief calls: answers of a moment. What one client may have at work lets a dashboard ask for everything at once. */
const CALLS = { total: 24, reserve: 16, perClient: 8, waitingPerClient: 32, waitMs: 10_000 };
/** Streams live long, and some have a child process each: journalctl takes some 6 MB of the unit's memory. */
const STREAMS = { total: 24, reserve: 8, perClient: 16, waitingPerClient: 16, waitMs: 2_000 };

/** Far above what people and dashboards need, below what keeps the processor busy. */
const RATE = { perSecond: 100, burst: 1_000 };

/** What stands in front of every method. */
export interface Guard {
  /** Looks at a call before its body is read: who, whether allowed, whether there is room. */
  readonly requestGate: (context: HandlerContext) => Promise<void>;
  readonly interceptor: Interceptor;
}

/** A call that was let in. */
interface Admitted {
  readonly record: CallRecord;
  /** Gives its place back; once. */
  readonly leave: () => void;
}

/** Who may call what, beside what the contract says. */
export interface AccessRules {
  readonly roles: readonly AccessRole[];
  readonly node: JudgedNode;
}

const BUILT_IN: AccessRules = { roles: [], node: { name: '', labels: {} } };

const admittedKey = createContextKey<Admitted | undefined>(undefined);

/**
 * openGuard lets a call through when its caller's role allows it, bounds the calls at work and in a second with a fair share for
 * each client, and records every call. Streams have a budget of their own, so that they do not stand in the way of brief calls.
 * A PlinthError of a method reaches the client with its code and hint.
 */
export function openGuard(
  audit: AuditSink,
  nowMs: () => number,
  rules: AccessRules = BUILT_IN,
  limits: RateLimits = RATE,
): Guard {
  const calls = openBudget(CALLS);
  const streams = openBudget(STREAMS);
  const rate = openCallRate(limits, () => performance.now());
  const recordOf = callRecorder(audit, nowMs);

  const admit = async (method: DescMethod, values: ContextValues, signal: AbortSignal): Promise<Admitted> => {
    const verdict = values.get(callerKey);
    const pace = rate(verdict.ok ? verdict.caller.commonName : values.get(peerKey).replace(/:\d+$/, ''));
    const record = recordOf(method, values);
    try {
      if (pace !== 'ok') throw tooFast(limits);
      const caller = requireAllowed(verdict, method, rules);
      const budget: Budget = method.methodKind === 'unary' ? calls : streams;
      // Strangers share one client's part: their addresses cost them nothing.
      const client = caller.role === STRANGER ? STRANGER : caller.commonName;
      return { record, leave: await budget.enter(client, signal) };
    } catch (reason) {
      // One record a second is enough to see a flood, and does not push older records out of the log.
      if (pace !== 'again') record.end(reason);
      throw reason;
    }
  };

  return {
    async requestGate({ method, values, signal }) {
      const admitted = await admit(method, values, signal);
      values.set(admittedKey, admitted);
      // A call whose message never comes whole does not get as far as the interceptor.
      const lost = () => {
        if (values.get(admittedKey) !== admitted) return;
        admitted.record.end(
          signal.reason ?? new ConnectError('its message did not come whole', Code.Canceled),
        );
        admitted.leave();
      };
      signal.addEventListener('abort', lost, { once: true });
    },
    interceptor: (next) => async (request) => {
      const values = request.contextValues;
      const admitted = values.get(admittedKey) ?? (await admit(request.method, values, request.signal));
      values.delete(admittedKey);
      return request.stream ? passStream(admitted, request, next) : passCall(admitted, request, next);
    },
  };
}

function tooFast({ perSecond }: RateLimits): ConnectError {
  return new ConnectError(
    `too many calls: more than ${perSecond} a second, expected fewer`,
    Code.ResourceExhausted,
  );
}

/** guard is the interceptor of openGuard alone, for servers without a gate. */
export function guard(audit: AuditSink, nowMs: () => number): Interceptor {
  return openGuard(audit, nowMs).interceptor;
}

type Next = (request: UnaryRequest | StreamRequest) => Promise<UnaryResponse | StreamResponse>;

/** A call ends for its client with its deadline; its place is free when its work has ended too. */
async function passCall({ record, leave }: Admitted, request: UnaryRequest, next: Next) {
  record.arguments = describeRequest(request.method.input, request.message);
  const work = (async () => {
    if (isAct(request.method)) await record.begin();
    return next(request);
  })();
  work.then(leave, leave);
  try {
    const response = await untilAborted(work, request.signal);
    record.sent = 1;
    record.end(undefined);
    return response;
  } catch (reason) {
    record.end(reason);
    throw toClient(reason);
  }
}

async function passStream({ record, leave }: Admitted, request: StreamRequest, next: Next) {
  const onFirst = async (first: Message) => {
    record.arguments = describeRequest(request.method.input, first);
    await record.begin();
  };
  try {
    const response = await next({ ...request, message: tellFirst(request.message, onFirst) });
    if (!response.stream) throw new Error(`${request.method.name} answered a stream with one message`);
    const message = watchStream(response.message, {
      signal: request.signal,
      onMessage: () => {
        record.sent++;
      },
      onEnd: (failure) => record.end(failure),
      onRelease: leave,
    });
    return { ...response, message: withFailures(message) };
  } catch (reason) {
    leave();
    record.end(reason);
    throw toClient(reason);
  }
}

/** Tells of the first message before it passes it on: an act must not begin before it is recorded. */
async function* tellFirst<T>(messages: AsyncIterable<T>, tell: (first: T) => Promise<void>) {
  let told = false;
  for await (const message of messages) {
    if (!told) await tell(message);
    told = true;
    yield message;
  }
}

async function* withFailures<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (reason) {
    throw toClient(reason);
  }
}

/** The result of the work, or what the signal says if that comes first. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function toClient(reason: unknown): unknown {
  return reason instanceof PlinthError ? refusalOf(reason) : reason;
}

/** What a reader may call changes nothing. */
function isAct(method: DescMethod): boolean {
  return getOption(method, access) !== Access.READER;
}

/** requireAllowed gives the caller if its role may call the method, or ends the call. */
export function requireAllowed(
  verdict: CallerVerdict,
  method: DescMethod,
  { roles, node }: AccessRules = BUILT_IN,
): Caller {
  const caller = requireRole(verdict);
  const asked = { name: `${method.parent.name}.${method.name}`, least: getOption(method, access) };
  const judgement = judgeAccess(caller.role, asked, roles, node);
  if (judgement.allowed) return caller;
  throw new ConnectError(`not allowed: ${judgement.reason}`, Code.PermissionDenied);
}

/** requireRole gives the caller or ends the call. */
export function requireRole(verdict: CallerVerdict): Caller {
  if (verdict.ok) return verdict.caller;
  throw new ConnectError(`not allowed: ${verdict.reason}`, Code.PermissionDenied);
}
