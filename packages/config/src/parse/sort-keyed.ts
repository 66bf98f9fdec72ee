import type { z } from 'zod';
import { compareText, fieldOf, keyOf, noteOf } from '../framework/notes.ts';

/** sortKeyed puts the entries of every keyed list in a value into the order of their keys: one form for each config. */
export function sortKeyed(schema: z.core.$ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    const entry = fieldOf(schema, 0);
    const entries = entry ? value.map((each) => sortKeyed(entry, each)) : value;
    const { key } = noteOf(schema);
    return key === undefined
      ? entries
      : entries.toSorted((a, b) => compareText(keyOf(a, key), keyOf(b, key)));
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const field = fieldOf(schema, name);
      return [name, field ? sortKeyed(field, each) : each];
    }),
  );
}
