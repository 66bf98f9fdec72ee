import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isoDate } from '../facts/dates.ts';
import { dataFolder, type Knowledge, readData } from '../facts/load.ts';
import { idSchema, known } from '../facts/schema.ts';
import { systemFacts } from '../facts/vocabulary.ts';
import type { Condition } from './condition.ts';
import { conditionSchema } from './condition-schema.ts';

const line = z.string().min(1).max(300);
const value = z.union([z.string(), z.array(z.string()).min(1)]);

const questionSchema = z.strictObject({
  ask: line,
  choices: z.record(z.string(), line),
  /** Several choices may be given. */
  several: z.literal(true).optional(),
  /** Other values than the choices are allowed: versions of Kubernetes. */
  free: z.literal('version').optional(),
});
export type Question = z.infer<typeof questionSchema> & { readonly id: string };

/** What a rule of a weight counts. */
export const weights = ['decisive', 'major', 'notable', 'minor'] as const;
export type Weight = (typeof weights)[number];
export type Effect = 'disqualifies' | 'for' | 'against';

/** A case that a rule is tested with: it must fire, or be silent. */
const caseSchema = z.strictObject({
  asOf: isoDate.optional(),
  answers: z.record(z.string(), value).optional(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])).optional(),
});
export type RuleCase = z.infer<typeof caseSchema>;

export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly effect: Effect;
  readonly weight?: Weight | undefined;
  readonly when: Condition;
  /** Said to the user; {key} is the value of a fact, {answer:id} an answer. */
  readonly reason: string;
  readonly source: string;
  readonly fires: RuleCase;
  readonly silent: RuleCase;
}

function rulesSchema(knowledge: Knowledge, questionIds: readonly string[]) {
  const rule = z
    .strictObject({
      id: idSchema,
      title: line,
      effect: z.enum(['disqualifies', 'for', 'against']),
      weight: z.enum(weights).optional(),
      when: conditionSchema(Object.keys(systemFacts), questionIds),
      reason: line,
      source: known('source', Object.keys(knowledge.sources)),
      fires: caseSchema,
      silent: caseSchema,
    })
    .superRefine(({ effect, weight }, context) => {
      if ((effect === 'disqualifies') === (weight !== undefined))
        context.addIssue({
          code: 'custom',
          message: 'a rule for or against has a weight, one that disqualifies has none',
        });
    });
  return z.strictObject({ rules: z.array(rule) });
}

/** Questions and rules, in the order of their files. */
export interface RuleBook {
  readonly questions: readonly Question[];
  readonly rules: readonly Rule[];
}

/**
 * loadRules reads questions and rules below a folder.
 * @throws advisor/data-invalid
 */
export async function loadRules(knowledge: Knowledge, folder: string = dataFolder): Promise<RuleBook> {
  const file = await readData(
    join(folder, 'questions.yaml'),
    z.strictObject({ questions: z.record(idSchema, questionSchema) }),
  );
  const questions = Object.entries(file.questions).map(([id, question]) => ({ ...question, id }));
  const schema = rulesSchema(
    knowledge,
    questions.map(({ id }) => id),
  );
  const names = (await readdir(join(folder, 'rules'))).filter((name) => name.endsWith('.yaml')).sort();
  const files = await Promise.all(names.map((name) => readData(join(folder, 'rules', name), schema)));
  return { questions, rules: files.flatMap(({ rules }) => rules) };
}
