/** Who is invited into the cluster. */
export interface InvitedNode {
  /** GetIdentity's node_id. */
  readonly nodeId: string;
  /** Name the node will have in the cluster. */
  readonly nodeName: string;
  /** Address other nodes reach it by. */
  readonly nodeAddress: string;
  readonly role: 'control-plane' | 'worker';
}

/**
 * ClusterAccess is what a control plane does in its cluster for others: it needs the API server of this node and the
 * credentials of an administrator. Failures are PlinthError with codes `kubernetes/…`.
 */
export interface ClusterAccess {
  /** Makes a bootstrap token for one node. `ttlMs` is how long it is good for; the time is by this node's clock. */
  createToken(
    node: InvitedNode,
    ttlMs: number,
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Uploads the control plane's certificates as kubeadm does, encrypted; gives the key to them. */
  uploadCertificates(): Promise<string>;
  /** "sha256:…" of the public key of the cluster's authority, as kubeadm's discovery wants it. */
  caKeyHash(): Promise<string>;
  /** host:port of each API server of the cluster. */
  apiServers(): Promise<readonly string[]>;
  /** Ends what the cluster knows of a node that has left or is lost; fine when it knows nothing. */
  forgetNode(nodeName: string): Promise<void>;
  /** A kubeconfig of a cluster administrator with a new client certificate, for `server` ("https://host:port"). */
  issueKubeconfig(server: string): Promise<{ readonly kubeconfig: string; readonly expiresAtMs: number }>;
}
