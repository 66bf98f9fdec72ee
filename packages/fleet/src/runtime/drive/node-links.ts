import { connectNode, type NodeClient, nodeApiPort } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { PeerView } from '../../view/project/project-peers.ts';

export interface NodeLinksParts {
  /** The certificate the operator comes with; read anew when it was replaced. */
  identity(): { readonly certificatePem: string; readonly keyPem: string };
  peer(node: string): PeerView | undefined;
  readonly port?: number;
  readonly timeoutMs?: number;
  readonly nowMs: () => number;
}

export interface NodeLinks extends Disposable {
  /** The client of a node. @throws fleet/node-unknown */
  to(node: string): NodeClient;
  /** Closes connections nobody used for a while. */
  sweep(): void;
}

const TIMEOUT_MS = 15_000;
const IDLE_MS = 60_000;

/** openNodeLinks keeps connections to nodes that are in use. Whoever answers has to prove to be the node that was invited: its key is pinned. */
export function openNodeLinks(parts: NodeLinksParts): NodeLinks {
  const { peer, identity, nowMs, port = nodeApiPort, timeoutMs = TIMEOUT_MS } = parts;
  const links = new Map<string, { readonly key: string; readonly client: NodeClient; usedAtMs: number }>();
  const close = (node: string) => {
    links.get(node)?.client.close();
    links.delete(node);
  };
  return {
    to(node) {
      const found = peer(node);
      if (!found)
        throw new PlinthError(
          'fleet/node-unknown',
          `Cannot ask node ${node}: no control plane has published its id and address, expected a member`,
        );
      const { certificatePem, keyPem } = identity();
      const key = [found.address, found.nodeId, certificatePem].join('\n');
      const link = links.get(node);
      if (link?.key === key) {
        link.usedAtMs = nowMs();
        return link.client;
      }
      close(node);
      const client = connectNode({
        ...{ address: found.address, nodeId: found.nodeId, port, timeoutMs },
        ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
      });
      links.set(node, { key, client, usedAtMs: nowMs() });
      return client;
    },
    sweep() {
      for (const [node, { usedAtMs }] of links) if (nowMs() - usedAtMs > IDLE_MS) close(node);
    },
    [Symbol.dispose]() {
      for (const node of [...links.keys()]) close(node);
    },
  };
}
