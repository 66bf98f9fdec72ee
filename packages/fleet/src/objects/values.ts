import { z } from 'zod';

// Values that several kinds share. Each schema is the only definition: the type, the check of what an API server sent, and the
// CustomResourceDefinition (packages/fleet/src/crd) are made from it.

/** Most that one list of an object may hold, unless said otherwise: etcd takes about 1.5 MB an object. */
export const LIST_LIMIT = 256;

export const shortText = z.string().max(253);
/** A short text that has to say something. */
export const someText = shortText.min(1);
export const reasonText = z.string().max(1024);

/** A node count, or a share of the nodes that a policy selects. */
export const countOrPercent = z
  .union([z.int().min(0).max(100_000), z.string().regex(/^(100|[1-9]?\d)%$/)])
  .describe('A number of nodes, or a share of them such as "10%"');
export type CountOrPercent = z.infer<typeof countOrPercent>;

/** As Kubernetes writes durations: "90s", "30m", "2h", "1h30m". */
export const duration = z
  .string()
  .min(2)
  .max(20)
  .regex(/^([0-9]+h)?([0-9]+m)?([0-9]+s)?$/)
  .describe('A duration such as "90s", "30m" or "1h30m"');

/** A moment, RFC 3339 in UTC, as Kubernetes writes it. */
export const moment = z.string().max(40).describe('A moment, RFC 3339');

export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 or root hash, hexadecimal');

/** How urgent a release is; it chooses the lane. */
export const severity = z.enum(['Standard', 'High', 'Critical']);
export type Lane = z.infer<typeof severity>;

/** Why something is as it is: a code for programs, a text for people. */
export const reason = z.object({ code: shortText, text: reasonText });
export type Reason = z.infer<typeof reason>;

/** One condition of a status, as all of Kubernetes has them. */
export const condition = z.object({
  type: shortText,
  status: z.enum(['True', 'False', 'Unknown']),
  reason: shortText,
  message: z.string().max(4096),
  lastTransitionTime: moment,
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof condition>;

export const nodeSelector = z
  .object({
    matchLabels: z.record(z.string().max(317), z.string().max(63)).default({}),
    matchExpressions: z
      .array(
        z.object({
          key: z.string().max(317),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(z.string().max(63)).max(LIST_LIMIT).default([]),
        }),
      )
      .max(LIST_LIMIT)
      .default([]),
  })
  .describe('Labels that a node has to have; an empty selector takes no node');
export type NodeSelector = z.infer<typeof nodeSelector>;
