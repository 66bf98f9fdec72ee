import { z } from 'zod';
import type { InvitedNode } from '../access/cluster-access.ts';
import type { KubeClient } from '../access/kube-client.ts';
import { findConflict } from '../access/node-records.ts';
import type { Admission } from '../admission/admission.ts';
import { type Judgement, judgeRequest, type KnownNodes } from './judge-request.ts';
import { parseRequest } from './parse-request.ts';

export const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** Requests approved or denied in one round, so that what is known of nodes and tokens is read again in between. */
const REQUESTS_AT_ONCE = 100;
/** Requests stay for an hour after they were answered, so that a list can be long. */
const PAGE = 500;

const requestSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), creationTimestamp: z.string().optional() }),
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
const listSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(requestSchema),
});
type CertificateRequest = z.infer<typeof requestSchema>;

/** listPending gives the requests to a signer that nobody has answered, oldest first. Errors: see KubeClient. */
export async function listPending(
  client: KubeClient,
  signer: string,
): Promise<readonly CertificateRequest[]> {
  const pending: CertificateRequest[] = [];
  let next: string | undefined;
  do {
    const query = new URLSearchParams({ fieldSelector: `spec.signerName=${signer}`, limit: String(PAGE) });
    if (next) query.set('continue', next);
    const { metadata, items } = await client.get(`${REQUESTS}?${query}`, listSchema);
    pending.push(
      ...items.filter(({ status }) => !status.certificate && (status.conditions ?? []).length === 0),
    );
    next = metadata.continue;
  } while (next);
  // Lists are sorted by name; who has waited longest comes first.
  return pending.sort((a, b) =>
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A request with what is to be done about it. */
export interface JudgedRequest {
  readonly request: CertificateRequest;
  readonly keyDigest: string;
  readonly judgement: Judgement;
}

/**
 * judgePending judges requests that can be carried out at the same time; `skipped` says that it left some out. Two that
 * would use up one token, or be one node, do not go together: the later one is judged in the next round, with what the
 * first one changed.
 * @param admit what the proof of a node is worth that may have a certificate otherwise
 */
export async function judgePending(
  pending: readonly CertificateRequest[],
  known: KnownNodes,
  admit: (node: InvitedNode) => Admission,
): Promise<{ readonly judged: readonly JudgedRequest[]; readonly skipped: boolean }> {
  const judged: JudgedRequest[] = [];
  let writes = 0;
  let skipped = false;
  const joining: InvitedNode[] = [];
  const tokens = new Set<string>();
  for (const request of pending) {
    if (writes === REQUESTS_AT_ONCE) return { judged, skipped: true };
    const content = await parseRequest(Buffer.from(request.spec.request, 'base64').toString('latin1'));
    const asked = judgeRequest(
      {
        signer: request.spec.signerName,
        requestor: request.spec.username,
        requestorGroups: request.spec.groups,
        usages: request.spec.usages,
        content,
      },
      known,
    );
    const judgement = asked.verdict === 'approve' ? admittedIn(asked, admit(asked.node)) : asked;
    if (judgement.verdict === 'approve' && judgement.redeems) {
      const { id, node } = judgement.redeems;
      if (tokens.has(id) || findConflict(node, joining) !== undefined) {
        skipped = true;
        continue;
      }
      tokens.add(id);
      joining.push(node);
    }
    // What is left to a person costs no write, and must not stand before the others.
    if (judgement.verdict !== 'leave') writes++;
    judged.push({ request, keyDigest: content?.keyDigest ?? '', judgement });
  }
  return { judged, skipped };
}

/** admittedIn: a proof that fails denies; one that is not there yet says nothing, and the request waits. */
export function admittedIn(judgement: Judgement, { state, reason }: Admission): Judgement {
  if (state === 'fail')
    return { verdict: 'deny', reason: `the node did not prove what it booted: ${reason}` };
  return state === 'wait' ? { verdict: 'leave', reason } : judgement;
}
