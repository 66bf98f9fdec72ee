// Names under which the operator lives in a cluster. Manifests, the operator and commands use the same ones.

export const FLEET_NAMESPACE = 'plinth-fleet';
/** Deployment, service account, Lease, and what belongs to them. */
export const FLEET_NAME = 'plinth-fleet';
/** Client certificate by which the operator comes to the nodes, with its key. */
export const NODE_ACCESS_SECRET = 'plinth-fleet-node-access';
export const NODE_ACCESS_DIR = '/etc/plinth-fleet/node';
/** Names, addresses and ids of the members, which the control planes publish. */
export const PEERS = { namespace: 'kube-system', name: 'plinth-peers' } as const;
/** The root of trust for release metadata, for releases that name a channel; in the operator's namespace, made by people. */
export const UPDATE_ROOT = { name: 'plinth-fleet-update-root', key: 'root.json' } as const;
export const HTTP_PORT = 8080;
/** Verb on rollouts for lifting a halt and promoting a wave; only cluster administrators have it until they give it. */
export const PROMOTE_VERB = 'promote';
export const FLEET_LABELS = {
  'app.kubernetes.io/name': FLEET_NAME,
  'app.kubernetes.io/part-of': 'plinth',
} as const;

/** userOf is how the API server names the operator's service account. */
export function userOf(namespace: string): string {
  return `system:serviceaccount:${namespace}:${FLEET_NAME}`;
}

/** gatesNamespaceOf is where Jobs of gates run: who may start pods there gets at nothing of the operator's. */
export function gatesNamespaceOf(namespace: string): string {
  return `${namespace}-gates`;
}

/** metadataOf is the metadata of one object of the installation; without a namespace it is the cluster's. */
export function metadataOf(name: string, namespace?: string): object {
  return { name, ...(namespace !== undefined && { namespace }), labels: FLEET_LABELS };
}
