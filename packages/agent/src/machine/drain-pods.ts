import type { DrainPod } from '@plinth/updates';
import { z } from 'zod';

const owner = z.object({ kind: z.string(), controller: z.boolean().optional() });

/** podsSchema reads a list of pods, as far as it matters for moving them away. */
export const podsSchema = z.object({
  items: z.array(
    z
      .object({
        metadata: z.object({
          name: z.string(),
          namespace: z.string(),
          uid: z.string(),
          annotations: z.record(z.string(), z.string()).default({}),
          ownerReferences: z.array(owner).default([]),
          deletionTimestamp: z.string().optional(),
        }),
        status: z.object({ phase: z.string().default('') }).default({ phase: '' }),
      })
      .transform(
        ({ metadata: { ownerReferences, deletionTimestamp, ...names }, status }): DrainPod => ({
          ...names,
          controllerKind: ownerReferences.find((each) => each.controller === true)?.kind,
          phase: status.phase,
          isDeleting: deletionTimestamp !== undefined,
          // Here emptyDirs go with their pods: they are asked for by the drain of a person.
          hasEmptyDir: false,
        }),
      ),
  ),
});
