import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Kind } from '../framework/kind.ts';
import { fieldOf, keyOf, noteOf } from '../framework/notes.ts';
import { allKinds, type MachineConfig, valuesOf } from '../machine-config.ts';
import { REDACTED, redact } from '../redact-config.ts';

/** One value that differs between two configs. */
export interface Difference {
  readonly kind: Kind;
  /** For people: "network.interfaces[52:54:00:0a:05:0b].addresses". */
  readonly path: string;
  /** For rules: "interfaces.addresses"; "" is the whole document. */
  readonly field: string;
  /** Undefined where the value is absent; secrets are taken out. */
  readonly from: unknown;
  readonly to: unknown;
  readonly secret: boolean;
}

interface Place {
  readonly kind: Kind;
  readonly path: string;
  readonly field: string;
}

/** diffConfig lists what differs, in the order of the kinds and their fields; nothing for equal configs. */
export function diffConfig(from: MachineConfig | undefined, to: MachineConfig): readonly Difference[] {
  return allKinds.flatMap((kind) => {
    const before = from ? valuesOf(from, kind) : [];
    const after = valuesOf(to, kind);
    if (kind.count !== 'many')
      return diff({ kind, path: kind.property, field: '' }, kind.schema, before[0], after[0]);
    return diffKeyed({ kind, path: kind.property, field: '' }, kind.schema, 'name', before, after);
  });
}

function diff(place: Place, schema: z.core.$ZodType, from: unknown, to: unknown): Difference[] {
  if (isDeepStrictEqual(from, to)) return [];
  const { secret, key } = noteOf(schema);
  const entry = fieldOf(schema, 0);
  if (!secret && key !== undefined && entry && Array.isArray(from ?? []) && Array.isArray(to ?? []))
    return diffKeyed(place, entry, key, (from ?? []) as unknown[], (to ?? []) as unknown[]);
  if (!secret && isRecord(from) && isRecord(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) => {
      const field = fieldOf(schema, name);
      if (field) return diff(below(place, name), field, from[name], to[name]);
      return isDeepStrictEqual(from[name], to[name])
        ? []
        : [difference(below(place, name), undefined, from[name], to[name])];
    });
  }
  return [difference(place, schema, from, to)];
}

function diffKeyed(
  place: Place,
  entry: z.core.$ZodType,
  key: string,
  from: readonly unknown[],
  to: readonly unknown[],
): Difference[] {
  const before = new Map(from.map((each) => [keyOf(each, key), each]));
  const after = new Map(to.map((each) => [keyOf(each, key), each]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    diff({ ...place, path: `${place.path}[${name}]` }, entry, before.get(name), after.get(name)),
  );
}

function difference(
  place: Place,
  schema: z.core.$ZodType | undefined,
  from: unknown,
  to: unknown,
): Difference {
  if (!schema) return { ...place, from, to, secret: false };
  const shown = { from: redact(schema, from), to: redact(schema, to) };
  const secret = JSON.stringify(shown).includes(JSON.stringify(REDACTED));
  return { ...place, ...shown, secret };
}

function below(place: Place, name: string): Place {
  return {
    ...place,
    path: `${place.path}.${name}`,
    field: place.field === '' ? name : `${place.field}.${name}`,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
