import { type Condition, momentOf } from '../../objects/index.ts';

/** A condition as it is to be now; `undefined` status is Unknown. */
export interface Wish {
  readonly type: string;
  readonly status: boolean | undefined;
  readonly reason: string;
  readonly message?: string;
}

/** The conditions wished for; the time of the last change stays where the status did not change. */
export function conditionsOf(
  before: readonly Condition[],
  wishes: readonly Wish[],
  nowMs: number,
  observedGeneration: number,
): Condition[] {
  return wishes.map(({ type, status, reason, message }) => {
    const value = status === undefined ? 'Unknown' : status ? 'True' : 'False';
    const old = before.find((each) => each.type === type);
    return {
      type,
      status: value,
      reason,
      message: (message ?? '').slice(0, 4096),
      lastTransitionTime: old?.status === value ? old.lastTransitionTime : momentOf(nowMs),
      observedGeneration,
    };
  });
}
