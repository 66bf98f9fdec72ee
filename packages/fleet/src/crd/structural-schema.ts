import { z } from 'zod';

/** A schema as a CustomResourceDefinition takes it: JSON Schema without all that is not "structural". */
export type StructuralSchema = { [key: string]: unknown };

/** A rule in CEL that the API server checks, with what it tells the person it refuses. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** Field the message is about, below the place of the rule: ".capacity.maxUnavailable". */
  readonly fieldPath?: string;
}

/**
 * toStructuralSchema turns a schema of an object into that of a CustomResourceDefinition. What the schema says in a way that
 * such a definition has no words for is an error: nothing is dropped silently but the range of integers that are just integers.
 */
export function toStructuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as StructuralSchema, '$');
}

/** Keywords that mean the same in both. */
const KEPT = new Set([
  ...['type', 'description', 'default', 'enum', 'pattern', 'required'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minimum', 'maximum'],
]);

function convert(node: StructuralSchema, place: string): StructuralSchema {
  if ('anyOf' in node) return intOrText(node, place);
  const out: StructuralSchema = {};
  for (const [key, value] of Object.entries(node)) {
    if (KEPT.has(key)) out[key] = value;
    else if (key === 'properties')
      out[key] = mapValues(value, (child, name) => convert(child, `${place}.${name}`));
    else if (key === 'items') out[key] = convert(value as StructuralSchema, `${place}[]`);
    else if (key === 'additionalProperties' && typeof value === 'object')
      out[key] = convert(value as StructuralSchema, `${place}.*`);
    // Lengths of keys cannot be said; the API server limits the object as a whole.
    else if (key !== 'propertyNames') throw new Error(`${place}: ${key} has no place in a structural schema`);
  }
  if (out['type'] === 'integer') Object.assign(out, { format: 'int64' }, withoutSafeRange(out));
  return out;
}

/** "10 or 10%": the one union that Kubernetes knows. Each of its limits speaks of numbers or of texts alone. */
function intOrText({ anyOf, ...rest }: StructuralSchema, place: string): StructuralSchema {
  const [whole, text, ...more] = anyOf as StructuralSchema[];
  if (whole?.['type'] !== 'integer' || text?.['type'] !== 'string' || more.length > 0)
    throw new Error(`${place}: a union that is not "integer or string" has no place in a structural schema`);
  const { type: _integer, ...numbers } = withoutSafeRange(whole);
  const { type: _string, ...texts } = text;
  return { ...rest, 'x-kubernetes-int-or-string': true, ...numbers, ...texts };
}

/** Zod writes the range of its integers, which says nothing. */
function withoutSafeRange(node: StructuralSchema): StructuralSchema {
  const { minimum, maximum } = node;
  if (minimum === Number.MIN_SAFE_INTEGER) delete node['minimum'];
  if (maximum === Number.MAX_SAFE_INTEGER) delete node['maximum'];
  return node;
}

function mapValues(value: unknown, change: (child: StructuralSchema, name: string) => StructuralSchema) {
  return Object.fromEntries(
    Object.entries(value as Record<string, StructuralSchema>).map(([name, child]) => [
      name,
      change(child, name),
    ]),
  );
}

/** addRules puts rules at a place of a schema: "" is its root, "waves[]" an item of its list. */
export function addRules(schema: StructuralSchema, place: string, rules: readonly CelRule[]): void {
  const at = schemaAt(schema, place);
  at['x-kubernetes-validations'] = [...((at['x-kubernetes-validations'] as CelRule[]) ?? []), ...rules];
}

/** schemaAt finds a place of a schema, written as for addRules. */
export function schemaAt(schema: StructuralSchema, place: string): StructuralSchema {
  let here: StructuralSchema | undefined = schema;
  for (const part of place.split(/(?=\[\])|\./).filter((each) => each !== ''))
    here =
      part === '[]'
        ? (here?.['items'] as StructuralSchema | undefined)
        : (here?.['properties'] as Record<string, StructuralSchema> | undefined)?.[part];
  if (here === undefined) throw new Error(`${place}: there is no such place in the schema`);
  return here;
}
