import { type ErrorCode, PlinthError } from '@plinth/base';
import { isReason, REASON_LIMIT } from '../reason.ts';
import type { MachineAct, MachineActKind, MachineRequest } from './machine-act.ts';
import { isUnderWay } from './machine-act.ts';

/** What decides whether the system may end now. */
export interface MachineFacts {
  readonly nodeName: string;
  /** The act on the machine that was asked for last. */
  readonly current: MachineAct | undefined;
  /** Another act of the node that must not be cut off, for people: "upgrade"; undefined when there is none. */
  readonly otherAct: string | undefined;
  /** Name of the cluster the node belongs to; undefined when to none. */
  readonly cluster: string | undefined;
  /** Why stored state would be lost at the end of this boot; undefined when it is kept. */
  readonly volatileBecause: string | undefined;
}

const DRAIN_LIMIT_MS = 60 * 60_000;

/**
 * judgeRequest refuses what must not begin; pure. Whether etcd can do without the node is asked elsewhere.
 * @returns what was overridden, for the records; "" when nothing was in the way
 * @throws machine/busy, machine/still-member, machine/bad-request, machine/not-drainable
 */
export function judgeRequest(request: MachineRequest, facts: MachineFacts): string {
  const { kind, reason, drain, override } = request;
  if (!isReason(reason))
    throw refusal(
      'machine/bad-request',
      kind,
      `the reason has ${reason.length} characters or a line break, expected one line of at most ${REASON_LIMIT}`,
    );
  if (isUnderWay(facts.current))
    throw new PlinthError(
      'machine/busy',
      `Cannot ${kind} the node: a ${facts.current.kind} is ${facts.current.state}, expected none`,
      { retryable: true },
    );
  if (facts.otherAct !== undefined)
    throw new PlinthError('machine/busy', `Cannot ${kind} the node: ${facts.otherAct} runs, expected none`, {
      retryable: true,
    });
  if (drain) checkDrain(kind, drain.timeoutMs, facts);
  if (kind !== 'reset' || facts.cluster === undefined) return '';
  const member = `it belongs to the cluster ${facts.cluster}`;
  if (override === facts.nodeName) return member;
  throw refusal('machine/still-member', kind, `${member}, expected it to have left`);
}

/** checkConfirmed makes sure that a person typed the name of what is wiped. @throws machine/not-confirmed */
export function checkConfirmed(confirm: string, nodeName: string): void {
  if (confirm === nodeName) return;
  throw refusal(
    'machine/not-confirmed',
    'reset',
    `it was confirmed for "${confirm.slice(0, 63)}", expected this node's name ${nodeName}`,
  );
}

function checkDrain(kind: MachineActKind, timeoutMs: number, facts: MachineFacts): void {
  if (facts.cluster === undefined)
    throw refusal('machine/not-drainable', kind, 'it belongs to no cluster, expected a member to drain');
  if (facts.volatileBecause !== undefined)
    throw refusal(
      'machine/not-drainable',
      kind,
      `it would not know to take pods again: ${facts.volatileBecause}, expected /var on a disk`,
    );
  if (!(timeoutMs > 0 && timeoutMs <= DRAIN_LIMIT_MS))
    throw refusal(
      'machine/bad-request',
      kind,
      `pods get ${Math.round(timeoutMs / 1000)} s to go, expected 1 to ${DRAIN_LIMIT_MS / 1000}`,
    );
}

/** quorumRefusal says that etcd would not go on. */
export function quorumRefusal(kind: MachineActKind, reason: string): PlinthError {
  return refusal('machine/quorum-at-risk', kind, `${reason}, expected etcd to go on`);
}

function refusal(code: ErrorCode, kind: MachineActKind, state: string): PlinthError {
  return new PlinthError(code, `Cannot ${kind} the node: ${state}`);
}
