import { z } from 'zod';
import type { InvitedNode } from '../access/cluster-access.ts';
import { type JoinToken, listJoinTokens, markJoinToken, removeJoinToken } from '../access/join-tokens.ts';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';
import { keepNodeRecord, listNodeRecords } from '../access/node-records.ts';
import { CERTIFICATES_EXPIRY, CERTIFICATES_SECRET } from '../access/upload-certificates.ts';
import { type Judgement, judgeRequest, SIGNERS } from './judge-request.ts';
import { parseRequest } from './parse-request.ts';

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** Requests looked at in one round; the rest comes in the next. */
const REQUESTS_AT_ONCE = 50;
/** A kubelet fetches its certificate with the token; it does so within seconds. */
const FETCH_MS = 60_000;

const requestSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    request: z.base64(),
    signerName: z.string(),
    username: z.string().default(''),
    groups: z.array(z.string()).default([]),
    usages: z.array(z.string()).default([]),
  }),
  status: z
    .looseObject({
      conditions: z.array(z.looseObject({ type: z.string() })).optional(),
      certificate: z.string().optional(),
    })
    .default({}),
});
const listSchema = z.object({ items: z.array(requestSchema) });
type CertificateRequest = z.infer<typeof requestSchema>;

/** One decision, for the log. */
export interface Decision {
  readonly request: string;
  readonly requestor: string;
  readonly judgement: Judgement;
}

export interface ApproverParts {
  readonly client: KubeClient;
  /** This control plane: the first one was never invited, so it says itself who it is. */
  readonly self: InvitedNode;
  readonly nowMs: () => number;
}

/**
 * approveRequests does one round: decides about every pending request of a kubelet, ends tokens that have done their
 * work, and deletes uploaded certificates whose time is over. Errors: see KubeClient.
 * @returns what was approved, denied, or left to a person
 */
export async function approveRequests(parts: ApproverParts): Promise<readonly Decision[]> {
  const { client, nowMs } = parts;
  const tokens = await listJoinTokens(client);
  const pending = (
    await Promise.all(Object.values(SIGNERS).map((signer) => listPending(client, signer)))
  ).flat();
  const decisions: Decision[] = [];
  const records = pending.length === 0 ? [] : [...(await listOwnRecords(parts))];
  for (const request of pending.slice(0, REQUESTS_AT_ONCE)) {
    const known = { records, tokens, nowMs: nowMs() };
    const content = await parseRequest(Buffer.from(request.spec.request, 'base64').toString('latin1'));
    const judgement = judgeRequest(
      {
        signer: request.spec.signerName,
        requestor: request.spec.username,
        requestorGroups: request.spec.groups,
        usages: request.spec.usages,
        content,
      },
      known,
    );
    if (!(await carryOut(parts, request, content?.keyDigest ?? '', judgement))) continue;
    // The next request is judged with what this one changed.
    if (judgement.verdict === 'approve' && judgement.redeems) records.push(judgement.redeems.node);
    decisions.push({ request: request.metadata.name, requestor: request.spec.username, judgement });
  }
  await tidyUp(parts, tokens);
  return decisions;
}

async function listPending(client: KubeClient, signer: string): Promise<readonly CertificateRequest[]> {
  const query = new URLSearchParams({ fieldSelector: `spec.signerName=${signer}`, limit: '2000' });
  const { items } = await client.get(`${REQUESTS}?${query}`, listSchema);
  return items.filter(({ status }) => !status.certificate && (status.conditions ?? []).length === 0);
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
  request: CertificateRequest,
  keyDigest: string,
  judgement: Judgement,
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
  for (const token of tokens) {
    const fetched = token.usedAtMs !== undefined && !(now - token.usedAtMs < FETCH_MS);
    if (fetched || !(token.expiresAtMs > now)) await removeJoinToken(client, token.id);
  }
  const uploaded = await client.find(CERTIFICATES_SECRET, expirySchema);
  const expiry = uploaded?.metadata.annotations[CERTIFICATES_EXPIRY];
  // What others uploaded has no expiry of ours, and its own way to end.
  if (expiry !== undefined && !(Date.parse(expiry) > now)) await client.remove(CERTIFICATES_SECRET);
}
