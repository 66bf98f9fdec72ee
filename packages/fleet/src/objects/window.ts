import { z } from 'zod';
import { duration, type reason, severity, someText } from './values.ts';

/** MaintenanceWindow: when nodes may be disrupted (Allow) or may not (Deny). The union of Allow without all Deny. Wall-clock time of its zone. */
export const windowSpec = z.object({
  kind: z.enum(['Allow', 'Deny']),
  schedule: z.string().max(100).describe('Cron, five fields: minute hour day-of-month month day-of-week'),
  duration,
  timeZone: z.string().max(64).default('UTC').describe('IANA name'),
  lanes: z.array(severity).max(3).default(['Standard', 'High']).describe('Lanes the window is for'),
  hardDeny: z.boolean().default(false).describe('A Deny that the lane Critical keeps too'),
  drainCutoff: duration
    .default('30m')
    .describe('No node is begun with when its slot would not fit before the end'),
});
export type WindowSpec = z.infer<typeof windowSpec>;

/** HealthGate: what has to hold before a node, a wave or anything goes on. Could-not-ask holds back. */
export const gateSpec = z.object({
  scope: z.enum(['Node', 'Wave', 'Always']).default('Wave'),
  failFor: duration.default('0s'),
  cel: z
    .object({
      apiVersion: z
        .string()
        .max(100)
        .regex(/^([a-z0-9.-]+\/)?v[0-9][a-z0-9]*$/)
        .default('v1')
        .describe('Of the object: "v1", "apps/v1"'),
      resource: z
        .string()
        .max(100)
        .regex(/^[a-z][a-z0-9-]*$/)
        .describe('Of the object, in the plural: "deployments"'),
      namespace: z
        .string()
        .max(63)
        .regex(/^[a-z0-9-]*$/)
        .default('')
        .describe('Empty: the object is in none'),
      name: z
        .string()
        .max(253)
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$/),
      expression: z
        .string()
        .min(1)
        .max(2048)
        .describe('CEL over "object" that is true or false: "object.status.readyReplicas >= 3"'),
    })
    .optional()
    .describe('One object, which the operator has to be given the right to get'),
  promql: z
    .object({
      url: z.string().max(2048),
      query: z.string().max(2048),
      below: z.number().optional(),
      above: z.number().optional(),
    })
    .optional(),
  http: z.object({ url: z.string().max(2048), status: z.int().min(100).max(599).default(200) }).optional(),
  job: z
    .object({
      configMap: someText.describe(
        'In the namespace of the operator with "-gates" after it; its key "job.yaml" is the Job',
      ),
      every: duration.default('5m').describe('While a rollout runs, the Job is run again after it'),
      timeout: duration.default('5m').describe('A run that lasts longer has failed'),
    })
    .optional()
    .describe('A Job that has to end well'),
});
export type GateSpec = z.infer<typeof gateSpec>;

/** What a gate said last. */
export interface GateResult {
  readonly gate: string;
  readonly state: 'pass' | 'fail' | 'unknown';
  readonly reason: z.infer<typeof reason>;
  readonly atMs: number;
}
