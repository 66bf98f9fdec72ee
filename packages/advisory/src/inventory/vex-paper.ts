import { z } from 'zod';
import { type CheckedStatement, normaliseId, vexJustifications } from '../model/index.ts';

const word = z.string().min(1).max(300);
const words = z.array(word).min(1).max(1_000);

const predicate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('path-absent'), paths: words }),
  z.strictObject({ kind: z.literal('package-absent'), packages: words }),
  z.strictObject({ kind: z.literal('config-off'), symbols: words }),
  z.strictObject({ kind: z.literal('module-absent'), modules: words }),
  z.strictObject({ kind: z.literal('module-denied'), modules: words }),
  z.strictObject({ kind: z.literal('other-architecture'), affected: words }),
  z.strictObject({ kind: z.literal('symbol-not-imported'), library: word, symbols: words }),
  z.strictObject({ kind: z.literal('go-symbol-absent'), paths: words, symbols: words }),
  // A person's word has an author, a reason and an end.
  z.strictObject({
    kind: z.literal('human'),
    author: word,
    reason: z.string().min(10).max(2_000),
    expiresAt: z.iso.datetime(),
  }),
]);

/** What a statement is made of, in a file of statements and in the paper of a release. */
export const statementFields = {
  id: word.refine((id) => normaliseId(id) === id, 'it is no identifier in its usual spelling'),
  justification: z.enum(vexJustifications),
  predicate,
};

export const vexPaperSchema = z.object({
  format: z.literal(1),
  /** For what day a person's judgement was asked, ISO 8601: that of the image, so that two builds say the same. */
  askedFor: z.iso.datetime(),
  statements: z
    .array(
      z.object({
        ...statementFields,
        outcome: z.object({ holds: z.enum(['yes', 'no', 'unknown']), detail: z.string().max(4_000) }),
      }),
    )
    .max(100_000),
});

/** formatVexPaper writes the paper that says how an image answered when it was built; the same answers are the same text. */
export function formatVexPaper(statements: readonly CheckedStatement[], askedFor: Date): string {
  return `${JSON.stringify({ format: 1, askedFor: askedFor.toISOString(), statements }, undefined, 1)}\n`;
}
