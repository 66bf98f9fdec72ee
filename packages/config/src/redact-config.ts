import type { z } from 'zod';
import { fieldOf, noteOf } from './framework/notes.ts';
import { allKinds, heldBy, type MachineConfig } from './machine-config.ts';

/** What stands in the place of a secret. */
export const REDACTED = '(secret)';

/** redactConfig gives a config without its secrets, to be shown; it is not one to be applied. */
export function redactConfig(config: MachineConfig): MachineConfig {
  const entries = allKinds.flatMap((kind) => {
    const held = heldBy(config, kind);
    if (held === undefined) return [];
    const values = Array.isArray(held)
      ? held.map((each) => redact(kind.schema, each))
      : redact(kind.schema, held);
    return [[kind.property, values]];
  });
  return Object.fromEntries(entries);
}

/** redact gives the value of a schema without its secrets. */
export function redact(schema: z.core.$ZodType, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (noteOf(schema).secret) return REDACTED;
  if (Array.isArray(value)) {
    const entry = fieldOf(schema, 0);
    return entry ? value.map((each) => redact(entry, each)) : value;
  }
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const field = fieldOf(schema, name);
      return [name, field ? redact(field, each) : each];
    }),
  );
}
