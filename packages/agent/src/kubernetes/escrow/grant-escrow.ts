import { z } from 'zod';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';
import { listNodeRecords } from '../access/node-records.ts';
import { escrowName, SECRETS } from './escrow-secret.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system';
const API_GROUP = 'rbac.authorization.k8s.io';
/** On all three objects; its value is the name of the node. */
const LABEL = 'plinth.dev/var-key';

const bindingsSchema = z.object({
  items: z.array(
    z.object({ metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }) }),
  ),
});

/** Secrets that somebody deleted are there again after that. */
const ALL_AGAIN_MS = 6 * 3_600_000;

/** What makes the grants of now those of the members. */
export interface GrantPlan {
  /** Nodes that get a Secret and the right to write into it. */
  readonly give: readonly string[];
  /** Nodes whose right ends; their Secrets stay. */
  readonly end: readonly string[];
}

/** planGrants compares who may write with who is a member, by the names of nodes. */
export function planGrants(members: readonly string[], granted: readonly string[]): GrantPlan {
  const [are, have] = [new Set(members), new Set(granted)];
  return {
    give: [...are].filter((name) => !have.has(name)).sort(),
    end: [...have].filter((name) => !are.has(name)).sort(),
  };
}

/**
 * openEscrowGrants lets each member write the recovery key of its /var into a Secret of its own, and no other: on control planes, a round
 * at a time. What a node may create it could create by any name, so the Secret is made for it, empty. A node that has left may write no
 * longer; its Secret stays, for its disk may be all that is left of it. Errors: see KubeClient.
 * @param nowMs monotonic
 */
export function openEscrowGrants(client: KubeClient, nowMs: () => number): () => Promise<void> {
  let allGivenAtMs: number | undefined;
  return async () => {
    const members = (await listNodeRecords(client)).map(({ nodeName }) => nodeName);
    const { items } = await client.get(
      `${RBAC}/rolebindings?labelSelector=${LABEL}&limit=5000`,
      bindingsSchema,
    );
    const plan = planGrants(
      members,
      items.map(({ metadata }) => metadata.labels[LABEL] ?? ''),
    );
    // Whether a Secret is still there would be seen by reading keys, so it is made again without a look.
    const all = allGivenAtMs === undefined || nowMs() - allGivenAtMs >= ALL_AGAIN_MS;
    for (const nodeName of all ? members : plan.give) await give(client, nodeName);
    if (all) allGivenAtMs = nowMs();
    for (const nodeName of plan.end) {
      const name = escrowName(nodeName);
      // The Role first: the binding is what tells that something is left to do.
      await client.remove(`${RBAC}/roles/${name}`);
      await client.remove(`${RBAC}/rolebindings/${name}`);
    }
  };
}

/** The binding comes last: while it is missing, all three are made again. */
async function give(client: KubeClient, nodeName: string): Promise<void> {
  const name = escrowName(nodeName);
  const metadata = { name, namespace: 'kube-system', labels: { [LABEL]: nodeName } };
  await createOnce(client, SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' });
  await createOnce(client, `${RBAC}/roles`, {
    ...{ apiVersion: `${API_GROUP}/v1`, kind: 'Role', metadata },
    // Without "get"; the answer to a change shows it the Secret all the same, which has its own keys only.
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['patch'] }],
  });
  await createOnce(client, `${RBAC}/rolebindings`, {
    ...{ apiVersion: `${API_GROUP}/v1`, kind: 'RoleBinding', metadata },
    roleRef: { apiGroup: API_GROUP, kind: 'Role', name },
    subjects: [{ apiGroup: API_GROUP, kind: 'User', name: `system:node:${nodeName}` }],
  });
}

async function createOnce(client: KubeClient, path: string, object: object): Promise<void> {
  try {
    await client.create(path, object);
  } catch (reason) {
    if (!isRefusal(reason, 409)) throw reason;
  }
}
