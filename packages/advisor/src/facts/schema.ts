import { closest } from '@plinth/base';
import { z } from 'zod';
import { isoDate } from './dates.ts';
import { type FactKind, type FactValue, platformFacts, platformIds, systemFacts } from './vocabulary.ts';

const line = z.string().min(1).max(200);
const note = z.string().min(1).max(600);
export const idSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/, {
  error: 'it is no id, expected small letters, digits and hyphens',
});

/** Where a fact was read. `copy` is set when what was read is a stored copy, older than the day of reading. */
const sourceSchema = z.strictObject({
  title: line,
  publisher: line,
  read: isoDate,
  copy: isoDate.optional(),
  /** The copy does not say of which day it is. */
  undated: z.literal(true).optional(),
});
export const sourcesSchema = z.strictObject({ sources: z.record(idSchema, sourceSchema) });
export type Source = z.infer<typeof sourceSchema>;

/** How sure a fact is. */
export const confidences = ['documented', 'reported', 'claimed', 'background', 'unverified'] as const;
export type Confidence = (typeof confidences)[number];

/** known is the id of something that exists elsewhere in the data, with a guess where it does not. */
export function known(what: string, ids: readonly string[]) {
  return z.string().superRefine((id, context) => {
    if (ids.includes(id)) return;
    const meant = closest(id, ids);
    context.addIssue({
      code: 'custom',
      message: `no ${what} is called "${id}"${meant === undefined ? '' : `, did you mean "${meant}"?`}`,
    });
  });
}

function factSchema(kind: FactKind, sourceIds: readonly string[]) {
  return z.strictObject({
    value: kind.value,
    /** The platforms it holds on; absent: wherever the system runs. */
    on: z.array(z.enum(platformIds)).min(1).optional(),
    source: known('source', sourceIds),
    /** The day it began to hold, or to be known; and the first day it does no longer. */
    from: isoDate.optional(),
    until: isoDate.optional(),
    confidence: z.enum(confidences).default('documented'),
    note: note.optional(),
    conflicts: z
      .array(z.strictObject({ value: note, source: known('source', sourceIds), note: note.optional() }))
      .optional(),
  });
}

/** One statement about a system or platform, as the data has it. */
export interface FactEntry {
  readonly value: FactValue;
  readonly on?: readonly string[] | undefined;
  readonly source: string;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly confidence: Confidence;
  readonly note?: string | undefined;
  readonly conflicts?:
    | readonly { readonly value: string; readonly source: string; readonly note?: string | undefined }[]
    | undefined;
}

/** A file of data/systems or data/platforms. */
export interface SubjectFile {
  readonly id: string;
  readonly name: string;
  readonly maker: string;
  readonly kind: 'os' | 'distribution' | 'platform';
  readonly summary: string;
  /** The first day on which there was something to know; before it, it is no candidate. */
  readonly since?: string | undefined;
  readonly facts: Readonly<Record<string, readonly FactEntry[]>>;
}

/**
 * subjectSchema is the shape of a system's or platform's file. Each key of the vocabulary is a key of its own, so that a
 * misspelt one is told with the one that was meant.
 */
export function subjectSchema(
  of: 'system' | 'platform',
  sourceIds: readonly string[],
): z.ZodType<SubjectFile> {
  const kinds: Readonly<Record<string, FactKind>> = of === 'system' ? systemFacts : platformFacts;
  const facts = Object.fromEntries(
    Object.entries(kinds).map(([key, kind]) => [key, z.array(factSchema(kind, sourceIds)).min(1).optional()]),
  );
  return z.strictObject({
    id: of === 'platform' ? z.enum(platformIds) : idSchema,
    name: line,
    maker: line,
    kind: of === 'platform' ? z.literal('platform') : z.enum(['os', 'distribution']),
    summary: note,
    since: isoDate.optional(),
    facts: z.strictObject(facts),
  }) as unknown as z.ZodType<SubjectFile>;
}
