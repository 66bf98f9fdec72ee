import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
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
  /** Whether it is an entry of a list. */
  readonly isEntry?: true;
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

function diff(place: Place, schema: z.core.$ZodType, given: unknown, wanted: unknown): Difference[] {
  // An absent field and one that says the default mean the same.
  const from = given ?? defaultOf(schema);
  const to = wanted ?? defaultOf(schema);
  if (isDeepStrictEqual(from, to)) return [];
  const { secret, key } = noteOf(schema);
  const entry = fieldOf(schema, 0);
  if (!secret && key !== undefined && entry)
    return diffKeyed(place, entry, key, (from ?? []) as unknown[], (to ?? []) as unknown[]);
  if (!secret && isSplit(place, from, to)) {
    const [old, next] = [(from ?? {}) as Fields, (to ?? {}) as Fields];
    const names = [...new Set([...Object.keys(old), ...Object.keys(next)])];
    const found = names.flatMap((name) => {
      const field = fieldOf(schema, name);
      const [before, after] = [old[name], next[name]];
      if (field) return diff(below(place, name), field, before, after);
      return isDeepStrictEqual(before, after) ? [] : [difference(below(place, name), schema, before, after)];
    });
    if (found.length > 0) return found;
  }
  return [difference(place, schema, from, to)];
}

/**
 * Whether fields are told apart: two objects, and one that comes or goes when it is a whole document or the rules of
 * effects know its fields. An entry of a list that comes or goes is one change.
 */
function isSplit(place: Place, from: unknown, to: unknown): boolean {
  if (isRecord(from) && isRecord(to)) return true;
  if (place.isEntry || !(from === undefined || to === undefined) || !(isRecord(from) || isRecord(to)))
    return false;
  return (
    place.field === '' || Object.keys(place.kind.effects).some((rule) => rule.startsWith(`${place.field}.`))
  );
}

function defaultOf(schema: z.core.$ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
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
    diff(
      { ...place, path: `${place.path}[${name}]`, isEntry: true },
      entry,
      before.get(name),
      after.get(name),
    ),
  );
}

function difference(place: Place, schema: z.core.$ZodType, from: unknown, to: unknown): Difference {
  const { kind, path, field } = place;
  const shown = { from: redact(schema, from), to: redact(schema, to) };
  const secret = JSON.stringify(shown).includes(JSON.stringify(REDACTED));
  return { kind, path, field, ...shown, secret };
}

function below(place: Place, name: string): Place {
  return {
    kind: place.kind,
    path: `${place.path}.${name}`,
    field: place.field === '' ? name : `${place.field}.${name}`,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
