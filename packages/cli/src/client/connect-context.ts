import { readFile } from 'node:fs/promises';
import { connectNode, type NodeClient, type Peer } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { chooseContext } from './choose-context.ts';
import { type ClientContext, contextsPath, readContexts } from './contexts-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * connectContext gives a client for the node that the flag, the environment or the file of contexts names.
 * @throws cli/context-missing, cli/config-invalid, api/bad-credentials
 */
export async function connectContext(
  flag: string | undefined,
  env: Environment,
  timeoutMs: number,
): Promise<NodeClient> {
  const { context } = chooseContext(await readContexts(contextsPath(env)), flag, env);
  return connectTo(context, timeoutMs);
}

/**
 * connectTo gives a client for one context. Nothing is dialled before its first call.
 * @param nodeId what the cluster recorded as the identity of the node; held to beside the context's fingerprint
 */
export async function connectTo(
  context: ClientContext,
  timeoutMs: number,
  nodeId?: string | undefined,
): Promise<NodeClient> {
  const { address, port } = splitEndpoint(context.endpoint);
  return connectNode({
    ...{ address, port, nodeId, timeoutMs },
    fingerprint: context.fingerprint,
    clientCertificatePem: await readCredential(context.certificate),
    clientKeyPem: await readCredential(context.key),
  });
}

/** How a peer is reached. */
export interface WayToPeer {
  /** As whom to come: the peer has the same authority for clients. */
  readonly context: Pick<ClientContext, 'certificate' | 'key'>;
  /** The node in between; it must stay open as long as the peer is used. */
  readonly through: NodeClient;
  readonly port: number;
  readonly timeoutMs: number;
}

/** connectPeer gives a client for a node of the cluster, through another, held to the identity the cluster recorded. */
export async function connectPeer(
  { name, address, nodeId }: Pick<Peer, 'name' | 'address' | 'nodeId'>,
  { context, through, port, timeoutMs }: WayToPeer,
): Promise<NodeClient> {
  return connectNode({
    ...{ address, port, nodeId, timeoutMs },
    openBytes: (limitMs) => through.tunnel.open(name, limitMs),
    clientCertificatePem: await readCredential(context.certificate),
    clientKeyPem: await readCredential(context.key),
  });
}

/** splitEndpoint takes "ADDRESS:PORT" apart; IPv6 addresses stand between brackets. */
export function splitEndpoint(endpoint: string): { readonly address: string; readonly port: number } {
  const at = endpoint.lastIndexOf(':');
  return { address: endpoint.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(endpoint.slice(at + 1)) };
}

async function readCredential(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    throw PlinthError.from(reason, 'api/bad-credentials', `Cannot read the client credential ${path}`);
  }
}
