import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { StateStore } from '../../sys/state-store.ts';
import { clusterSpecSchema, nodeRoles } from '../cluster-spec.ts';
import { FOLDER } from '../paths.ts';

const NAME = `${FOLDER}/member.json`;

const schema = z.object({
  /** "left": it was a member once and may not found another cluster. */
  state: z.enum(['member', 'left']),
  role: z.enum(nodeRoles),
  cluster: clusterSpecSchema,
  /** Kubernetes version the node shall run. */
  version: z.string(),
  nodeAddress: z.string(),
  /** host:port of API servers, as known when the node joined; where to look first after a restart. */
  apiServers: z.array(z.string()),
});

/** The node's membership of a cluster. */
export type Member = z.infer<typeof schema>;

/** readMember gives what is stored; undefined when the node never was a member. @throws kubernetes/state-unreadable */
export async function readMember(store: StateStore): Promise<Member | undefined> {
  const bytes = await store.read(NAME);
  if (!bytes) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/state-unreadable', `Cannot read ${NAME}`);
  }
}

/** clusterOf names the cluster that the node is a member of now; undefined when of none. @throws kubernetes/state-unreadable */
export async function clusterOf(store: StateStore): Promise<string | undefined> {
  const member = await readMember(store);
  return member?.state === 'member' ? member.cluster.name : undefined;
}

/** writeMember replaces what is stored. */
export async function writeMember(store: StateStore, member: Member): Promise<void> {
  await store.write(NAME, Buffer.from(`${JSON.stringify(member, undefined, 2)}\n`));
}
