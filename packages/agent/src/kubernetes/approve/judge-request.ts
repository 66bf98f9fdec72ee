import type { InvitedNode } from '../access/cluster-access.ts';
import type { JoinToken } from '../access/join-tokens.ts';
import { findConflict, type NodeRecord } from '../access/node-records.ts';
import { canonicalAddress, type RequestContent } from './parse-request.ts';

export const SIGNERS = {
  client: 'kubernetes.io/kube-apiserver-client-kubelet',
  serving: 'kubernetes.io/kubelet-serving',
} as const;

/** A certificate request as the API server recorded it: who asked is its word, what is asked the requestor's. */
export interface NodeRequest {
  readonly signer: string;
  /** Authenticated name of who asked. */
  readonly requestor: string;
  readonly requestorGroups: readonly string[];
  readonly usages: readonly string[];
  /** undefined when it could not be parsed. */
  readonly content: RequestContent | undefined;
}

/** What the cluster knows, as far as Plinth wrote it. */
export interface KnownNodes {
  readonly records: readonly NodeRecord[];
  readonly tokens: readonly JoinToken[];
  readonly nowMs: number;
}

/**
 * approve: the certificate of `node` may be made; `redeems` is the token it uses up.
 * deny: nobody may have it. leave: not for Plinth to decide; a person may.
 */
export type Judgement =
  | {
      readonly verdict: 'approve';
      readonly reason: string;
      readonly node: InvitedNode;
      readonly redeems?: JoinToken;
    }
  | { readonly verdict: 'deny' | 'leave'; readonly reason: string };

const USER_PREFIX = 'system:node:';
const TOKEN_PREFIX = 'system:bootstrap:';

/** judgeRequest decides about a kubelet's certificate request. What is not exactly as expected is never approved. */
export function judgeRequest(request: NodeRequest, known: KnownNodes): Judgement {
  const { signer, content, requestor } = request;
  if (signer !== SIGNERS.client && signer !== SIGNERS.serving)
    return leave(`signer ${signer} is not for nodes`);
  const serving = signer === SIGNERS.serving;
  const byToken = requestor.startsWith(TOKEN_PREFIX);
  const byNode = requestor.startsWith(USER_PREFIX);
  if (!byToken && !byNode) return leave('it was not asked for by a node');
  if (!content) return deny('it is not a well-formed request');
  if (!content.signed) return deny('it is not signed with the key it is for');
  if (content.more.length > 0) return deny(`it asks for more than a node needs: ${content.more[0]}`);
  if (content.organisations.length !== 1 || content.organisations[0] !== 'system:nodes')
    return deny('its organisation is not system:nodes alone');
  if (!content.commonName.startsWith(USER_PREFIX)) return deny('its common name is not that of a node');
  if (!usagesFit(request.usages, serving)) return deny('its usages are not those of a kubelet');
  if (byToken)
    return serving ? deny('a token is for client certificates only') : judgeJoin(request, content, known);
  return judgeMember(request, content, known);
}

/** The first certificate of a node, asked for with a join token. */
function judgeJoin(request: NodeRequest, content: RequestContent, known: KnownNodes): Judgement {
  const token = known.tokens.find(({ id }) => request.requestor === TOKEN_PREFIX + id);
  if (!token) return leave('its token was not made by Plinth');
  if (!request.requestorGroups.includes('system:bootstrappers'))
    return deny('it was not asked for with a token');
  if (hasNames(content)) return deny('a client certificate has no alternative names');
  // An end that cannot be read is not in the future.
  if (!(token.expiresAtMs > known.nowMs)) return deny('its token has ended');
  if (content.commonName !== USER_PREFIX + token.node.nodeName)
    return deny(`its token is for node ${token.node.nodeName}`);
  if (token.usedByKey !== undefined && token.usedByKey !== content.keyDigest)
    return deny('its token was used by another key');
  const conflict = findConflict(token.node, known.records);
  if (conflict !== undefined) return deny(conflict);
  const reason = `invitation of machine ${token.node.nodeId}`;
  return { verdict: 'approve', reason, node: token.node, redeems: token };
}

/** A certificate that a member asks for itself with the one it has. */
function judgeMember(request: NodeRequest, content: RequestContent, known: KnownNodes): Judgement {
  if (content.commonName !== request.requestor) return deny('a node may ask for itself only');
  if (!request.requestorGroups.includes('system:nodes')) return deny('who asks is not a node');
  const name = request.requestor.slice(USER_PREFIX.length);
  const record = known.records.find(({ nodeName }) => nodeName === name);
  // Not denied: on a fresh control plane the record comes seconds later.
  if (!record) return leave(`node ${name} is not a known member`);
  if (request.signer === SIGNERS.client)
    return hasNames(content)
      ? deny('a client certificate has no alternative names')
      : approve('renewal by the node', record);
  if (!hasNames(content)) return deny('a serving certificate needs names');
  const foreignName = content.dnsNames.find((dnsName) => dnsName !== name);
  if (foreignName !== undefined) return deny("it is for a name that is not the node's");
  const own = canonicalAddress(record.nodeAddress);
  if (content.addresses.some((address) => address !== own))
    return deny("it is for an address that is not the node's");
  return approve('serving certificate of a member', record);
}

function hasNames({ dnsNames, addresses }: RequestContent): boolean {
  return dnsNames.length > 0 || addresses.length > 0;
}

/** RSA keys may be used for key encipherment too; nothing else is a matter of choice. */
function usagesFit(usages: readonly string[], serving: boolean): boolean {
  const wanted = new Set(['digital signature', serving ? 'server auth' : 'client auth']);
  const given = new Set(usages);
  given.delete('key encipherment');
  return given.size === wanted.size && given.isSubsetOf(wanted);
}

function approve(reason: string, node: InvitedNode): Judgement {
  return { verdict: 'approve', reason, node };
}
function deny(reason: string): Judgement {
  return { verdict: 'deny', reason };
}
function leave(reason: string): Judgement {
  return { verdict: 'leave', reason };
}
