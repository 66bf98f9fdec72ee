import { z } from 'zod';

const owner = z.object({ kind: z.string(), controller: z.boolean().optional() });

/** A pod of the node, as far as it matters for moving it away. */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(owner).default([]),
    deletionTimestamp: z.string().optional(),
  }),
  status: z.object({ phase: z.string().default('') }).default({ phase: '' }),
});

export type Pod = z.infer<typeof podSchema>;

/** What the kubelet marks a static pod's copy in the cluster with. */
const MIRROR = 'kubernetes.io/config.mirror';

/** The pods of a node, sorted by what draining does to them. */
export interface DrainPlan {
  /** They are asked to go. */
  readonly evict: readonly Pod[];
  /** They were asked and have not gone yet. */
  readonly leaving: readonly Pod[];
  /** No controller starts them elsewhere, and nobody said that they may be lost. */
  readonly unmanaged: readonly Pod[];
}

/**
 * planDrain decides which pods go; pure. Those of a DaemonSet would be started here again, static pods belong to the
 * node, and finished ones do nothing: these three kinds stay, as with kubectl drain.
 */
export function planDrain(pods: readonly Pod[], evictUnmanaged: boolean): DrainPlan {
  const plan = { evict: [] as Pod[], leaving: [] as Pod[], unmanaged: [] as Pod[] };
  for (const pod of pods) {
    const controller = pod.metadata.ownerReferences.find((each) => each.controller === true);
    if (Object.hasOwn(pod.metadata.annotations, MIRROR)) continue;
    if (controller?.kind === 'DaemonSet') continue;
    if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') continue;
    if (pod.metadata.deletionTimestamp !== undefined) plan.leaving.push(pod);
    else if (!controller && !evictUnmanaged) plan.unmanaged.push(pod);
    else plan.evict.push(pod);
  }
  return plan;
}

/** nameOf is a pod's name with its namespace. */
export function nameOf({ metadata: { namespace, name } }: Pod): string {
  return `${namespace}/${name}`;
}

const NAMES_SHOWN = 5;

/** namesOf lists pods for people, the first few by name. */
export function namesOf(pods: readonly Pod[]): string {
  const shown = pods.slice(0, NAMES_SHOWN).map(nameOf).join(', ');
  const more = pods.length - NAMES_SHOWN;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
