import { z } from 'zod';

/** What the framework has to know of a field beyond its type. It is not part of the JSON Schema. */
interface FieldNote {
  readonly secret?: true;
  /** The field that tells the entries of a list apart. */
  readonly key?: string;
}

const notes = z.registry<FieldNote>();

/** secret marks a field that is never shown: not in plans, not in a redacted config, not in errors. */
export function secret<S extends z.ZodType>(schema: S): S {
  notes.add(schema, { secret: true });
  return schema;
}

/**
 * keyed is a list whose entries are told apart by one field and whose order means nothing: a plan compares entries of
 * the same key, and a config holds them in the order of their keys. Refuses two entries with one key.
 */
export function keyed<S extends z.ZodObject>(entry: S, key: keyof z.infer<S> & string, most: number) {
  const list = z
    .array(entry)
    .max(most)
    .superRefine((all, context) => {
      const seen = new Set<unknown>();
      for (const [index, each] of all.entries()) {
        const own = (each as Record<string, unknown>)[key];
        if (seen.has(own))
          context.addIssue({ code: 'custom', path: [index, key], message: `expected each ${key} once` });
        seen.add(own);
      }
    });
  notes.add(list, { key });
  return list;
}

/** keyOf is the text an entry of a keyed list is told apart by. */
export function keyOf(entry: unknown, key: string): string {
  return String((entry as Record<string, unknown>)[key]);
}

/** compareText orders by code units: the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** noteOf tells what was noted of a field's schema, through its wrappers (optional, default). */
export function noteOf(schema: z.core.$ZodType): FieldNote {
  return notes.get(schema as z.ZodType) ?? notes.get(unwrap(schema) as z.ZodType) ?? {};
}

/** unwrap takes optional, default and the like off a schema. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let at = schema;
  while (
    at instanceof z.ZodOptional ||
    at instanceof z.ZodDefault ||
    at instanceof z.ZodPrefault ||
    at instanceof z.ZodReadonly ||
    at instanceof z.ZodNonOptional
  )
    at = at.def.innerType;
  return at;
}

/** fieldOf is the schema of one field of an object, of the entries of a list, or of the values of a record. */
export function fieldOf(schema: z.core.$ZodType, part: string | number): z.core.$ZodType | undefined {
  const at = unwrap(schema);
  if (at instanceof z.ZodArray) return at.def.element;
  if (at instanceof z.ZodRecord) return at.def.valueType;
  if (at instanceof z.ZodObject && typeof part === 'string') return at.shape[part];
  return undefined;
}
