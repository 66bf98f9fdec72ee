import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiagnostic } from '@plinth/base';
import { z } from 'zod';
import { fieldOf, keyed, noteOf, secret, unwrap } from './framework/notes.ts';
import { allKinds, heldBy } from './machine-config.ts';
import { parseConfig } from './parse/parse-config.ts';
import { planConfig } from './plan/plan-config.ts';
import { REDACTED, redact, redactConfig } from './redact-config.ts';
import { renderConfig } from './render-config.ts';
import { ACCESS, documents, exampleConfig, MACHINE, parsed } from './testing/configs.ts';

/** Every text at a secret field of a value. */
function secretsIn(schema: z.core.$ZodType, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (noteOf(schema).secret) return [typeof value === 'string' ? value : JSON.stringify(value)];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const field = fieldOf(schema, Array.isArray(value) ? 0 : name);
    return field ? secretsIn(field, each) : [];
  });
}

const config = exampleConfig();
const secrets = allKinds.flatMap((kind) =>
  [heldBy(config, kind) ?? []].flat().flatMap((value) => secretsIn(kind.schema, value)),
);

test('neither a redacted config nor a plan holds a secret of the examples', () => {
  const shown = JSON.stringify([
    redactConfig(config),
    planConfig(undefined, config),
    planConfig(config, parsed(documents(MACHINE, ACCESS))),
  ]);
  assert.ok(secrets.length > 0, 'the examples hold a secret');
  for (const each of secrets) assert.ok(!shown.includes(each), 'a secret is shown');
  assert.ok(shown.includes(REDACTED));
  assert.deepEqual(redactConfig(redactConfig(config)), redactConfig(config));
});

test('a file that holds a secret says so, and only root reads it', () => {
  for (const { path, text, secret: marked, mode } of renderConfig(config)) {
    if (secrets.some((each) => text.includes(each))) assert.ok(marked, path);
    if (marked) assert.equal(mode & 0o077, 0, path);
  }
});

/** The value of a secret field with a mistake in it, as a person may write it. */
const mistakes = (value: string) => [
  `{${value}: 1}`,
  `[${value}]`,
  `*${value}`,
  `!${value} x`,
  `@${value}`,
  `%${value}`,
  `"${value}`,
  `'${value}`,
  `${value}: ${value}`,
  `"\\q${value}"`,
];

test('a mistake in a secret is told without the secret', () => {
  const text = allKinds.map(({ example }) => example).join('---\n');
  let told = 0;
  for (const each of secrets.filter((one) => text.includes(one))) {
    for (const wrong of mistakes(each)) {
      const changed = text
        .split('\n')
        .map((line) => (line.includes(each) ? line.replace(/(: ).*$/, `$1${wrong}`) : line));
      const result = parseConfig(Buffer.from(changed.join('\n')), 'config.yaml');
      if (result.ok) continue;
      told += 1;
      for (const diagnostic of result.diagnostics) {
        const shown = renderDiagnostic(diagnostic, changed.join('\n'));
        assert.ok(!shown.includes(each), `${wrong}: ${shown}`);
      }
    }
  }
  assert.ok(told > 5, `${told} mistakes were told`);
});

const password = () => secret(z.string());
const forms: readonly (readonly [string, z.ZodType])[] = [
  ['alone', password()],
  ['optional', password().optional()],
  ['with a default', password().default('hunter2')],
  ['described', password().describe('A password.')],
  ['described and optional', password().describe('A password.').optional().describe('Perhaps.')],
  ['refined', password().refine((text) => text !== '')],
  ['refined and optional', password().min(1).max(9).optional()],
  ['noted last', secret(z.string().optional())],
];
for (const [what, schema] of forms) {
  test(`a secret stays one: ${what}`, () => {
    const inside = z.strictObject({
      list: keyed(z.strictObject({ name: z.string(), schema }), 'name', 3),
      map: z.record(z.string(), schema),
    });
    const value = { list: [{ name: 'a', schema: 'hunter2' }], map: { b: 'hunter2' } };
    assert.deepEqual(redact(inside, value), {
      list: [{ name: 'a', schema: REDACTED }],
      map: { b: REDACTED },
    });
    assert.ok(unwrap(schema) instanceof z.ZodString);
  });
}
