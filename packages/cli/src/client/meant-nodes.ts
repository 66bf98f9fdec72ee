import { type ListPeersResponse, type NodeClient, nodeApiPort, nodeRoleName, type Peer } from '@plinth/api';
import { closest, PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { chooseContext } from './choose-context.ts';
import { connectPeer, connectTo } from './connect-context.ts';
import { type ClientContext, type ContextsFile, contextsPath, readContexts } from './contexts-file.ts';
import type { ManyNodeOptions } from './many-options.ts';
import { matchesSelector, parseSelector } from './selector.ts';

/** A node that is meant, and the way to it. */
export type MeantNode =
  /** Its own context; with the identity that the cluster recorded, where that is known too. */
  | {
      readonly kind: 'context';
      readonly name: string;
      readonly context: ClientContext;
      readonly nodeId?: string;
    }
  /** Through the node of the current context. */
  | { readonly kind: 'peer'; readonly name: string; readonly peer: Peer }
  /** It was named, and the one that could say where it is does not answer. */
  | { readonly kind: 'lost'; readonly name: string; readonly error: PlinthError };

/** The nodes that are meant. */
export interface MeantNodes extends Disposable {
  readonly nodes: readonly MeantNode[];
  /** A client for one of them; nothing is dialled before its first call. @throws the error of a lost one */
  connect(node: MeantNode, timeoutMs: number): Promise<NodeClient>;
}

/** What is known before it is decided who is meant. */
export interface Known {
  readonly file: ContextsFile;
  /** The node of the current context, as its own file knows it. */
  readonly way: { readonly name: string; readonly context: ClientContext } | undefined;
  /** What that node says; undefined when it was not asked. */
  readonly peers: ListPeersResponse | PlinthError | undefined;
}

/**
 * findNodes asks who the nodes of the options are. A node with a context of its own is dialled directly and held to that
 * context; the others are reached through the node of the current context and held to the identity the cluster recorded.
 * @throws cli/usage, cli/context-missing, cli/config-invalid, api/… when only that node could have said who is meant
 */
export async function findNodes(
  options: ManyNodeOptions & { readonly context: string | undefined; readonly timeout: number },
  { env }: Pick<CommandContext, 'env'>,
): Promise<MeantNodes> {
  const { nodes, selector, allNodes } = options;
  if ([nodes !== undefined, selector !== undefined, allNodes].filter(Boolean).length > 1)
    throw usageError('--nodes, --selector and --all-nodes exclude each other, expected one of them');
  const file = await readContexts(contextsPath(env));
  const names = [...new Set((nodes ?? '').split(',').filter((name) => name !== ''))];
  const local = nodes !== undefined && names.every((name) => file.contexts[name]);
  const way = local ? undefined : chooseContext(file, options.context, env);
  const client = way && (await connectTo(way.context, options.timeout * 1000));
  try {
    const peers = await client?.tunnel.peers().catch((reason: unknown) => {
      if (nodes !== undefined && reason instanceof PlinthError) return reason;
      throw reason;
    });
    const known: Known = { file, way, peers };
    const meant =
      nodes === undefined ? chooseAmongPeers(selector, known) : names.map((name) => nameNode(name, known));
    return {
      nodes: meant,
      async connect(node, timeoutMs) {
        if (node.kind === 'lost') throw node.error;
        if (node.kind === 'context') return connectTo(node.context, timeoutMs, node.nodeId);
        if (!client || !way) throw new Error('a peer without a way to it');
        return connectPeer(node.peer, {
          context: way.context,
          through: client,
          port: nodeApiPort,
          timeoutMs,
        });
      },
      [Symbol.dispose]: () => client?.close(),
    };
  } catch (reason) {
    client?.close();
    throw reason;
  }
}

/** nameNode finds a node by name: a context, else a peer. Pure. @throws cli/usage when nobody knows it */
function nameNode(name: string, { file, way, peers }: Known): MeantNode {
  const context = file.contexts[name];
  if (context) return { kind: 'context', name, context };
  if (peers instanceof PlinthError) return { kind: 'lost', name, error: peers };
  const peer = peers?.peers.find((one) => one.name === name);
  if (peer?.self && way) return { kind: 'context', name, context: way.context };
  if (peer) return { kind: 'peer', name, peer };
  const all = [...Object.keys(file.contexts), ...(peers?.peers ?? []).map((one) => one.name)];
  const meant = closest(name, all);
  throw usageError(
    `node "${name}" is neither a context nor a node of the cluster, expected one of "plinth get peers"`,
    meant === undefined ? undefined : `Did you mean ${meant}?`,
  );
}

/** chooseAmongPeers gives the nodes of the cluster that a selector chooses, all without one. Pure. @throws cli/usage */
function chooseAmongPeers(selector: string | undefined, { file, way, peers }: Known): readonly MeantNode[] {
  const requirements = selector === undefined ? [] : parseSelector(selector);
  const members = peers instanceof PlinthError ? [] : (peers?.peers ?? []);
  // A node of no cluster is all there is.
  if (members.length === 0 && way && selector === undefined)
    return [{ kind: 'context', name: way.name, context: way.context }];
  const chosen = members.filter((peer) => matchesSelector(requirements, labelsOf(peer)));
  if (chosen.length === 0)
    throw usageError(`no node of the cluster has the labels "${selector ?? ''}", expected at least one`);
  return chosen.map((peer): MeantNode => {
    const { name, nodeId, self } = peer;
    const context = self ? way?.context : file.contexts[name];
    return context ? { kind: 'context', name, context, nodeId } : { kind: 'peer', name, peer };
  });
}

/** labelsOf is what a selector sees of a peer: its labels, and what the cluster recorded, which no label can pretend to be. */
function labelsOf({ name, role, labels }: Pick<Peer, 'name' | 'role' | 'labels'>): Record<string, string> {
  return { ...labels, name, role: nodeRoleName(role) };
}
