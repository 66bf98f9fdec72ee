import { z } from 'zod';

/** "KIND/NAME" as GetSecurityFacts of the node's API takes it, or a check of the node: "integrity/…", "health/…". */
const factName = z
  .string()
  .max(200)
  .regex(/^[a-z-]+\/\S*$/, 'expected KIND/NAME');

const OPERATORS = ['is', 'in', 'not', 'atLeast', 'has', 'lacks', 'set'] as const;
const SHAPES = ['fact', 'absent', 'integrity', 'health', 'all', 'any'] as const;

/** What must hold: a comparison of one fact, facts that must be absent, a check of the node, or several of these. */
export interface Condition {
  readonly fact?: string | undefined;
  readonly is?: string | undefined;
  readonly in?: readonly string[] | undefined;
  /** The value may be none of these; a fact that is absent has no value. */
  readonly not?: readonly string[] | undefined;
  readonly atLeast?: number | undefined;
  /** The value, split at blanks and , : ; has that word, or lacks it. */
  readonly has?: string | undefined;
  readonly lacks?: string | undefined;
  /** true: it is there, whatever its value; false: it is absent. */
  readonly set?: boolean | undefined;
  readonly absent?: readonly string[] | undefined;
  readonly integrity?: string | undefined;
  readonly health?: string | undefined;
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
}

const condition: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      fact: factName.optional(),
      is: z.string().optional(),
      in: z.array(z.string()).min(1).optional(),
      not: z.array(z.string()).min(1).optional(),
      atLeast: z.number().optional(),
      has: z.string().optional(),
      lacks: z.string().optional(),
      set: z.boolean().optional(),
      absent: z.array(factName).min(1).optional(),
      integrity: z.string().min(1).optional(),
      health: z.string().min(1).optional(),
      all: z.array(condition).min(1).optional(),
      any: z.array(condition).min(1).optional(),
    })
    .refine((given) => SHAPES.filter((name) => given[name] !== undefined).length === 1, {
      error: `expected one of ${SHAPES.join(', ')}`,
    })
    .refine(
      (given) =>
        OPERATORS.filter((name) => given[name] !== undefined).length === (given.fact === undefined ? 0 : 1),
      { error: `expected one of ${OPERATORS.join(', ')} for a fact, and none without one` },
    ),
);

/** Something that this system does not have, and what of it a node shows. */
const absence = z.strictObject({ because: z.string().min(1), proof: condition });

const claim = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/),
    /** Without one it is what must hold, in words. */
    title: z.string().min(1).optional(),
    /** Of profiles with levels: the least level it belongs to. */
    level: z.number().int().min(1).max(9).optional(),
    holds: condition.optional(),
    /** It is about something that this system does not have, or the name of one; its proof must hold, or the claim fails. */
    notApplicable: z.union([z.string().min(1), absence]).optional(),
    /** Nothing on the node can tell: why. */
    manual: z.string().min(1).optional(),
    /** A failure is meant: why; with a proof only as long as that holds on the node. */
    accepted: z.union([z.string().min(1), absence]).optional(),
    why: z.string().min(1).optional(),
  })
  .refine(({ holds, notApplicable, manual }) => [holds, notApplicable, manual].filter(Boolean).length === 1, {
    error: 'expected one of holds, notApplicable, manual',
  })
  .refine(({ holds, accepted }) => accepted === undefined || holds !== undefined, {
    error: 'accepted says why "holds" may fail, expected "holds"',
  });

/** profileSchema is the schema of a file of profiles. */
export const profileSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]+$/),
    title: z.string().min(1),
    /** What the claims are numbered by. */
    source: z.strictObject({ name: z.string().min(1), edition: z.string().min(1) }),
    /** Ids of the profiles that this file is, from the least level up; each holds those below it. */
    levels: z
      .array(z.string().regex(/^[a-z0-9-]+$/))
      .min(1)
      .optional(),
    /** Titles by the beginning of a claim's id. */
    sections: z.record(z.string(), z.string()).default({}),
    /** What many claims are about and this system does not have, by name. */
    absences: z.record(z.string(), absence).default({}),
    claims: z.array(claim).min(1),
  })
  .superRefine(({ levels, claims, absences }, context) => {
    const seen = new Set<string>();
    for (const [index, { id, level, notApplicable }] of claims.entries()) {
      if (typeof notApplicable === 'string' && !Object.hasOwn(absences, notApplicable))
        context.addIssue({
          code: 'custom',
          path: ['claims', index],
          message: `claim ${id} names "${notApplicable}", expected one of absences`,
        });
      if (seen.has(id))
        context.addIssue({
          code: 'custom',
          path: ['claims', index],
          message: `two claims have the id ${id}`,
        });
      seen.add(id);
      const known =
        levels === undefined ? level === undefined : (level ?? 0) >= 1 && (level ?? 0) <= levels.length;
      if (!known)
        context.addIssue({
          code: 'custom',
          path: ['claims', index],
          message: `claim ${id} has ${level === undefined ? 'no level' : `level ${level}`}, expected one of the profile's`,
        });
    }
  });

export type ProfileFile = z.infer<typeof profileSchema>;

/** One claim; what does not apply is written out. */
export interface Claim extends Omit<z.infer<typeof claim>, 'notApplicable'> {
  readonly notApplicable?: z.infer<typeof absence> | undefined;
}

/** One profile: claims of one source, of one level and those below it. */
export interface Profile {
  readonly id: string;
  readonly title: string;
  readonly source: ProfileFile['source'];
  readonly sections: Readonly<Record<string, string>>;
  readonly claims: readonly Claim[];
}

/** profilesOf gives the profiles of a file, the fullest last. */
export function profilesOf(file: ProfileFile): readonly Profile[] {
  const { id, title, source, sections, absences, levels } = file;
  const claims = file.claims.map(
    (each): Claim => ({
      ...each,
      notApplicable:
        typeof each.notApplicable === 'string' ? absences[each.notApplicable] : each.notApplicable,
    }),
  );
  if (levels === undefined) return [{ id, title, source, sections, claims }];
  return levels.map((levelId, index) => ({
    ...{ id: levelId, title: `${title}, level ${index + 1}`, source, sections },
    claims: claims.filter(({ level }) => (level ?? 1) <= index + 1),
  }));
}
