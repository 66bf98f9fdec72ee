import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Effect, Kind } from '../framework/kind.ts';
import { noteOf, unwrap } from '../framework/notes.ts';
import { effectOf } from '../plan/plan-config.ts';

/** A field of a kind, for people. */
export interface FieldDescription {
  /** "network.interfaces[].addresses": as in plans and diagnostics, without the keys of entries. */
  readonly path: string;
  /** "list of text", "whole number, 1 to 4094", "one of active-backup, 802.3ad". */
  readonly type: string;
  readonly required: boolean;
  /** As it would be written; absent: there is none, or it is empty. */
  readonly default?: string;
  readonly description: string;
  readonly secret: boolean;
  /** What a change of it takes to come into effect. */
  readonly effect: Effect;
  /** The same where there was nothing before; absent when that makes no difference. */
  readonly effectWhenNew?: Effect;
}

/** describeFields lists the fields of a kind in the order in which they are written, each before those within it. */
export function describeFields(kind: Kind): readonly FieldDescription[] {
  const root = kind.count === 'many' ? `${kind.property}[]` : kind.property;
  return within(kind, kind.schema, root, '');
}

function within(kind: Kind, schema: z.core.$ZodType, path: string, field: string): FieldDescription[] {
  const at = unwrap(schema);
  if (at instanceof z.ZodArray) return within(kind, at.element, `${path}[]`, field);
  if (!(at instanceof z.ZodObject)) return [];
  return Object.entries(at.shape).flatMap(([name, each]: [string, z.core.$ZodType]) => {
    const below = { path: `${path}.${name}`, field: field === '' ? name : `${field}.${name}` };
    const initial = defaultOf(each);
    return [
      {
        path: below.path,
        type: typeOf(each),
        required: !(each instanceof z.ZodOptional) && initial === undefined,
        ...(isEmpty(initial) ? {} : { default: JSON.stringify(initial) }),
        description: describe(each),
        secret: noteOf(each).secret === true,
        ...effectsOf(kind, below.field),
      },
      ...within(kind, each, below.path, below.field),
    ];
  });
}

function effectsOf(kind: Kind, field: string): Pick<FieldDescription, 'effect' | 'effectWhenNew'> {
  // Some effects depend on whether there was a value, none on which: any text will do.
  const effect = effectOf(kind, field, 'before', 'after');
  const effectWhenNew = effectOf(kind, field, undefined, 'after');
  return isDeepStrictEqual(effect, effectWhenNew) ? { effect } : { effect, effectWhenNew };
}

function defaultOf(schema: z.core.$ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}

/** The description of a field, or of what is wrapped in it. */
function describe(schema: z.core.$ZodType): string {
  const own = z.globalRegistry.get(schema as z.ZodType)?.description;
  return own ?? z.globalRegistry.get(unwrap(schema) as z.ZodType)?.description ?? '';
}

function typeOf(schema: z.core.$ZodType): string {
  const at = unwrap(schema);
  if (at instanceof z.ZodArray) return `list of ${typeOf(at.element)}`;
  if (at instanceof z.ZodEnum) return `one of ${at.options.join(', ')}`;
  if (at instanceof z.ZodLiteral) return [...at.values].map(String).join(' or ');
  if (at instanceof z.ZodUnion) return at.options.map(typeOf).join(' or ');
  if (at instanceof z.ZodRecord) return `map of ${typeOf(at.valueType)}`;
  if (at instanceof z.ZodNumber) return numberType(at);
  if (at instanceof z.ZodBoolean) return 'true or false';
  if (at instanceof z.ZodObject) return 'object';
  return 'text';
}

function numberType({ minValue, maxValue }: z.ZodNumber): string {
  const known = minValue !== null && maxValue !== null && Number.isSafeInteger(maxValue);
  return known ? `whole number, ${minValue} to ${maxValue}` : 'number';
}
