import { repeat, type Sleep } from '../../repeat.ts';
import { type ApproverParts, approveRequests, type Decision } from './approve-requests.ts';

/** A joining node waits for it. */
const EVERY_MS = 3_000;
/** While a control plane is being made nothing answers yet; once it does, its first node waits for a certificate. */
const AT_MOST_MS = 10_000;

export interface ApproverOptions {
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
  /** Hears each decision once. */
  readonly onDecision: (decision: Decision) => void;
  /** Hears when the API server cannot be asked, and (undefined) when it can again. */
  readonly onFailure: (reason: unknown) => void;
}

/** runApprover decides about certificate requests on a control plane until the signal aborts. It does not throw. */
export async function runApprover(parts: ApproverParts, options: ApproverOptions): Promise<void> {
  const left = new Set<string>(); // requests left to a person: said once, not in each round
  await repeat(
    async () => {
      // Many nodes may join at once: no pause as long as there is work.
      for (let more = true; more && !options.signal.aborted; ) {
        const round = await approveRequests(parts);
        more = round.more;
        const stillLeft = new Set<string>();
        for (const decision of round.decisions) {
          const isLeft = decision.judgement.verdict === 'leave';
          const key = `${decision.request} ${decision.judgement.reason}`;
          if (isLeft) stillLeft.add(key);
          if (!isLeft || !left.has(key)) options.onDecision(decision);
        }
        left.clear();
        for (const key of stillLeft) left.add(key);
      }
    },
    { everyMs: EVERY_MS, atMostMs: AT_MOST_MS, ...options },
  );
}
