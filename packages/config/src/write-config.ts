import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { z } from 'zod';
import { fieldOf } from './framework/notes.ts';
import { API_VERSION, allKinds, type MachineConfig, valuesOf } from './machine-config.ts';

/**
 * writeConfig gives the one canonical text of a config: a YAML document for each kind, in the order of the kinds, and
 * only what differs from the defaults. Reading it gives an equal config. It holds the secrets.
 */
export function writeConfig(config: MachineConfig): string {
  return allKinds
    .flatMap((kind) =>
      valuesOf(config, kind).map((value) =>
        stringify(
          {
            apiVersion: API_VERSION,
            kind: kind.kind,
            ...(withoutDefaults(kind.schema, value) as Readonly<Record<string, unknown>>),
          },
          { lineWidth: 0, version: '1.2', aliasDuplicateObjects: false },
        ),
      ),
    )
    .join('---\n');
}

/** A later default of a new field thus changes neither the text of old configs nor what they mean to an older node. */
function withoutDefaults(schema: z.core.$ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    const entry = fieldOf(schema, 0);
    return entry ? value.map((each) => withoutDefaults(entry, each)) : value;
  }
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).flatMap(([name, each]) => {
    const field = fieldOf(schema, name);
    if (each === undefined || (field && isDefault(field, each))) return [];
    return [[name, field ? withoutDefaults(field, each) : each]];
  });
  return Object.fromEntries(kept);
}

function isDefault(schema: z.core.$ZodType, value: unknown): boolean {
  return schema instanceof z.ZodDefault && isDeepStrictEqual(schema.def.defaultValue, value);
}
