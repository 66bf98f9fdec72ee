import { z } from 'zod';
import { inParallel } from '../../in-parallel.ts';
import type { InvitedNode } from '../access/cluster-access.ts';
import { type JoinToken, listJoinTokens, markJoinToken, removeJoinToken } from '../access/join-tokens.ts';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';
import { keepNodeRecord, listNodeRecords } from '../access/node-records.ts';
import { CERTIFICATES_EXPIRY, CERTIFICATES_SECRET } from '../access/upload-certificates.ts';
import type { Admissions } from '../admission/admission.ts';
import { type Judgement, SIGNERS } from './judge-request.ts';
import { type JudgedRequest, judgePending, listPending, REQUESTS } from './pending-requests.ts';

/** Tokens ended in one round: they work no more, and must not keep nodes waiting that ask for a certificate. */
const TOKENS_AT_ONCE = 50;
/** Writes under way at the same time: each waits for the API server far longer than it takes this node to ask. */
const WRITES_AT_ONCE = 8;
/** A kubelet fetches its certificate with the token; it does so within seconds. */
const FETCH_MS = 60_000;

/** One decision, for the log. */
export interface Decision {
  readonly request: string;
  readonly requestor: string;
  readonly judgement: Judgement;
}

/** What one round did. */
export interface ApproverRound {
  /** What was approved, denied, or left to a person. */
  readonly decisions: readonly Decision[];
  /** There are requests that this round did not look at. */
  readonly more: boolean;
}

export interface ApproverParts {
  readonly client: KubeClient;
  /** This control plane: the first one was never invited, so it says itself who it is. */
  readonly self: InvitedNode;
  readonly admission: Pick<Admissions, 'refresh' | 'admit'>;
  readonly nowMs: () => number;
}

/**
 * approveRequests does one round: decides about every pending request of a kubelet, ends tokens that have done their
 * work, and deletes uploaded certificates whose time is over. Errors: see KubeClient.
 */
export async function approveRequests(parts: ApproverParts): Promise<ApproverRound> {
  const { client, admission, nowMs } = parts;
  const tokens = await listJoinTokens(client);
  const pending = (
    await Promise.all(Object.values(SIGNERS).map((signer) => listPending(client, signer)))
  ).flat();
  const records = pending.length === 0 ? [] : await listOwnRecords(parts);
  if (pending.length > 0) await admission.refresh();
  const known = { records, tokens, nowMs: nowMs() };
  const { judged, skipped } = await judgePending(pending, known, admission.admit);
  const decided = await inParallel(judged, WRITES_AT_ONCE, (item) => carryOut(parts, item));
  await tidyUp(parts, tokens);
  const done = judged.filter((_, index) => decided[index]);
  return {
    decisions: done.map(({ request, judgement }) => ({
      request: request.metadata.name,
      requestor: request.spec.username,
      judgement,
    })),
    // Without a change the next round would do the same.
    more: skipped && done.some(({ judgement }) => judgement.verdict !== 'leave'),
  };
}

async function listOwnRecords({ client, self }: ApproverParts) {
  const records = await listNodeRecords(client);
  if (records.some(({ nodeName }) => nodeName === self.nodeName)) return records;
  await keepNodeRecord(client, self);
  return [...records, self];
}

/** Whether this round did it; another control plane may have been first. */
async function carryOut(
  { client, nowMs }: ApproverParts,
  { request, keyDigest, judgement }: JudgedRequest,
): Promise<boolean> {
  if (judgement.verdict === 'leave') return true;
  try {
    if (judgement.verdict === 'approve' && judgement.redeems) {
      const { redeems } = judgement;
      // The token first: should plinthd end here, the same key is approved in the next round and no other.
      await markJoinToken(client, redeems, keyDigest, nowMs());
      await keepNodeRecord(client, redeems.node);
    }
    await client.replace(`${REQUESTS}/${request.metadata.name}/approval`, {
      ...request,
      status: {
        ...request.status,
        conditions: [
          {
            type: judgement.verdict === 'approve' ? 'Approved' : 'Denied',
            status: 'True',
            reason: 'Plinth',
            message: judgement.reason,
          },
        ],
      },
    });
    return true;
  } catch (reason) {
    if (isRefusal(reason, 409) || isRefusal(reason, 404)) return false;
    throw reason;
  }
}

const expirySchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
});

async function tidyUp({ client, nowMs }: ApproverParts, tokens: readonly JoinToken[]): Promise<void> {
  const now = nowMs();
  const ended = tokens.filter(({ usedAtMs, expiresAtMs }) => {
    const fetched = usedAtMs !== undefined && !(now - usedAtMs < FETCH_MS);
    return fetched || !(expiresAtMs > now);
  });
  await inParallel(ended.slice(0, TOKENS_AT_ONCE), WRITES_AT_ONCE, ({ id }) => removeJoinToken(client, id));
  const uploaded = await client.find(CERTIFICATES_SECRET, expirySchema);
  const expiry = uploaded?.metadata.annotations[CERTIFICATES_EXPIRY];
  // What others uploaded has no expiry of ours, and its own way to end.
  if (expiry !== undefined && !(Date.parse(expiry) > now)) await client.remove(CERTIFICATES_SECRET);
}
