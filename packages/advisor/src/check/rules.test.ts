import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadKnowledge } from './load-knowledge.ts';
import type { Json } from './model/json.ts';
import { toKubeObject } from './model/kube-object.ts';
import type { Read } from './read/read-sources.ts';
import type { Finding } from './report/finding.ts';
import { type CheckKnowledge, runCheck } from './run-check.ts';

// One case that each rule finds, and one beside it that it must leave alone.

const OS = join(import.meta.dirname, '../../../../os');
const TODAY = '2026-11-22';
interface Case {
  readonly pod?: Json;
  readonly daemon?: Json;
  readonly documents?: readonly Json[];
}
const cases = parse(readFileSync(join(import.meta.dirname, '__fixtures__/rules.yaml'), 'utf8')) as Readonly<
  Record<string, { readonly about: string; readonly finds: Case; readonly clean: Case }>
>;

let known: CheckKnowledge;
before(async () => {
  known = await loadKnowledge('plinth', OS, TODAY);
});

async function check({ pod, daemon, documents = [] }: Case): Promise<readonly Finding[]> {
  const controller = (kind: string, spec: Json): Json => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'subject', namespace: 'kube-system' },
    spec: { template: { spec } },
  });
  const values = [
    ...documents,
    ...(pod === undefined ? [] : [controller('Deployment', pod)]),
    ...(daemon === undefined ? [] : [controller('DaemonSet', daemon)]),
  ];
  const reads = values.map((value): Read => {
    const object = toKubeObject(value, () => undefined);
    assert.ok(object, 'a case that is no object');
    return { kind: 'object', object };
  });
  return (await runCheck(reads, known, TODAY)).findings;
}

test('every rule of the data has a case, and every case a rule', () => {
  assert.deepEqual(Object.keys(cases).sort(), [...known.rules.keys()].sort());
});

describe('rules', () => {
  for (const [id, { about, finds, clean }] of Object.entries(cases)) {
    test(`${id} finds what it is for, with its subject`, async () => {
      const found = (await check(finds)).filter(({ rule }) => rule === id);
      assert.deepEqual(
        found.map(({ subject }) => subject),
        [about],
      );
    });
    test(`${id} leaves alone what is beside it`, async () => {
      const found = (await check(clean)).filter(({ rule }) => rule === id);
      assert.deepEqual(found, []);
    });
  }
});
