import { messageOf, type PlinthError } from '@plinth/base';
import type { LossKind, LossVerdict } from './judge-loss.ts';

/** A node that is about to be away. */
export interface LossQuestion {
  /** Undefined: it belongs to no cluster. */
  readonly role: 'control-plane' | 'worker' | undefined;
  readonly kind: LossKind;
  readonly nodeName: string;
  /** What a person typed; the node's name lets it pass whatever etcd says. */
  readonly override: string;
  /** Asks etcd. What cannot be asked is a reason against it. */
  judge(kind: LossKind): Promise<LossVerdict>;
}

/**
 * guardLoss lets a node be away only when etcd goes on without it; every act that ends a control plane asks here.
 * @returns what was overridden, for the records; "" when nothing was in the way
 * @throws what `refuse` makes of the reason
 */
export async function guardLoss(
  { role, kind, nodeName, override, judge }: LossQuestion,
  refuse: (reason: string) => PlinthError,
): Promise<string> {
  if (role !== 'control-plane') return '';
  const reason = await judge(kind).then(
    (verdict) => (verdict.ok ? '' : verdict.reason),
    (failure: unknown) => `nobody can tell whether etcd goes on: ${messageOf(failure)}`,
  );
  if (reason === '' || override === nodeName) return reason;
  throw refuse(reason);
}
