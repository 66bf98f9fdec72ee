import { z } from 'zod';

const OPERATORS = ['set', 'is', 'not', 'has', 'lacks', 'atLeast', 'only', 'other'] as const;
const SUBJECTS = ['flag', 'kubelet', 'kubeletFlag', 'config'] as const;

const condition = z
  .strictObject({
    flag: z
      .string()
      .regex(/^[a-z-]+\/[a-z0-9-]+$/)
      .optional(),
    kubelet: z.string().optional(),
    kubeletFlag: z.string().optional(),
    config: z
      .string()
      .regex(/^[a-z-]+\.yaml\/.+$/)
      .optional(),
    set: z.boolean().optional(),
    is: z.string().optional(),
    not: z.array(z.string()).min(1).optional(),
    has: z.string().optional(),
    lacks: z.string().optional(),
    atLeast: z.number().optional(),
    /** Values, or the name of a list. */
    only: z.union([z.array(z.string()).min(1), z.string()]).optional(),
    /** A flag whose value must be another one. */
    other: z.string().optional(),
  })
  .refine((given) => SUBJECTS.filter((name) => given[name] !== undefined).length === 1, {
    error: `expected one of ${SUBJECTS.join(', ')}`,
  })
  .refine((given) => OPERATORS.filter((name) => given[name] !== undefined).length === 1, {
    error: `expected one of ${OPERATORS.join(', ')}`,
  });

const check = z
  .strictObject({
    id: z.string().regex(/^\d+(\.\d+){1,2}$/),
    /** node: every member of a cluster. */
    scope: z.enum(['control-plane', 'node']),
    title: z.string().min(1),
    all: z.array(condition).min(1).optional(),
    any: z.array(condition).min(1).optional(),
    files: z
      .strictObject({
        paths: z.array(z.string().startsWith('/')).min(1),
        /** Octal; the file may have no bit beyond these. */
        mode: z
          .string()
          .regex(/^[0-7]{3}$/)
          .optional(),
        /** "user:group". */
        owner: z.string().optional(),
        optional: z.boolean().default(false),
      })
      .refine(({ mode, owner }) => (mode === undefined) !== (owner === undefined), {
        error: 'expected mode or owner',
      })
      .optional(),
    manual: z.string().min(1).optional(),
    accepted: z.string().min(1).optional(),
  })
  .refine(({ all, any, files, manual }) => [all, any, files, manual].filter(Boolean).length === 1, {
    error: 'expected one of all, any, files, manual',
  });

/** cisBenchmark is the schema of the layer's cis.yaml. */
export const cisBenchmark = z
  .strictObject({
    benchmark: z.string(),
    /** Titles by the beginning of a number, "1.2". */
    sections: z.record(z.string().regex(/^\d+(\.\d+)?$/), z.string()).default({}),
    lists: z.record(z.string(), z.array(z.string()).min(1)).default({}),
    checks: z.array(check).min(1),
  })
  .superRefine(({ lists, checks }, context) => {
    for (const { id, all, any } of checks) {
      for (const { only } of [...(all ?? []), ...(any ?? [])]) {
        if (typeof only === 'string' && !Object.hasOwn(lists, only))
          context.addIssue({
            code: 'custom',
            message: `check ${id} names the list ${only}, expected one of lists`,
          });
      }
    }
    if (new Set(checks.map(({ id }) => id)).size < checks.length)
      context.addIssue({ code: 'custom', path: ['checks'], message: 'two checks have one id' });
  });

export type CisBenchmark = z.infer<typeof cisBenchmark>;
export type CisCheck = z.infer<typeof check>;
export type CisCondition = z.infer<typeof condition>;
