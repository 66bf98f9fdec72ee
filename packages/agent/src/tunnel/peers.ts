/** A member of the cluster, as the cluster recorded it when it was invited. */
export interface Peer {
  readonly name: string;
  /** Name of its public key; see nodeIdOf. */
  readonly nodeId: string;
  /** IPv4 address other nodes reach it by. */
  readonly address: string;
  readonly role: 'control-plane' | 'worker';
  /** Labels of its Node. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The cluster as far as this node knows it. */
export interface KnownPeers {
  /** By name; empty on a node of no cluster. */
  readonly peers: readonly Peer[];
  /** When the cluster said so; undefined on a node of no cluster. */
  readonly observedAtMs: number | undefined;
  /** Why this is what was known earlier; "" when the cluster answered. */
  readonly problem: string;
}

/** Who the other nodes are. */
export interface PeerBook {
  /** Never rejects: what cannot be had anew is what was known before. */
  list(): Promise<KnownPeers>;
}
