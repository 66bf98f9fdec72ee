import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { fleetKinds } from './kinds.ts';
import { addRules, schemaAt, toStructuralSchema } from './structural-schema.ts';

test('texts, numbers, lists, maps, defaults and limits are said as a definition says them', () => {
  const schema = z.object({
    count: z.int().min(1).default(3),
    names: z.array(z.string().max(5)).max(2),
    labels: z.record(z.string().max(9), z.string()),
    share: z.union([z.int().min(0).max(9), z.string().regex(/^\d%$/)]).describe('a share'),
  });
  assert.deepEqual(toStructuralSchema(schema), {
    type: 'object',
    properties: {
      count: { type: 'integer', minimum: 1, default: 3, format: 'int64' },
      names: { type: 'array', maxItems: 2, items: { type: 'string', maxLength: 5 } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      share: {
        ...{ description: 'a share', 'x-kubernetes-int-or-string': true },
        ...{ minimum: 0, maximum: 9, pattern: '^\\d%$' },
      },
    },
    required: ['names', 'labels', 'share'],
  });
});

for (const [what, schema] of [
  ['a union of objects', z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])],
  ['a union of three', z.union([z.int(), z.string(), z.boolean()])],
] as const)
  test(`${what} has no place in a definition, and is not dropped silently`, () => {
    const whole = z.object({ field: schema });
    assert.throws(() => toStructuralSchema(whole), /\$\.field: .* has no place in a structural schema/);
  });

test('a rule for a place that is not there is an error, not a rule that nobody checks', () => {
  const schema = toStructuralSchema(z.object({ waves: z.array(z.object({ upTo: z.string() })) }));
  addRules(schema, 'waves[]', [{ rule: 'true', message: 'm' }]);
  assert.deepEqual(schemaAt(schema, 'waves[]')['x-kubernetes-validations'], [{ rule: 'true', message: 'm' }]);
  assert.throws(() => addRules(schema, 'wave[]', []), /wave\[\]: there is no such place/);
});

test('names of kinds are told apart by people: plural, short name and kind are each used once', () => {
  for (const field of ['kind', 'plural', 'shortName'] as const)
    assert.equal(new Set(fleetKinds.map((each) => each[field])).size, fleetKinds.length, field);
});
