import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { z } from 'zod';
import { classifyIds } from './index.ts';

// The labelled corpus decides whether a change of the rules is an improvement; see corpus/README.md.

const role = z.enum(['fixed', 'corrected', 'regression', 'dropped', 'mentioned']);
const entrySchema = z.object({
  entry: z.int(),
  source: z.string(),
  version: z.string(),
  text: z.string(),
  labels: z.record(z.string(), role),
});
type Labelled = z.output<typeof entrySchema>;

async function read(set: string): Promise<Labelled[]> {
  const text = await readFile(new URL(`../../corpus/changelog/${set}.jsonl`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => entrySchema.parse(JSON.parse(line)));
}

const isFix = (each: string | undefined) => each === 'fixed' || each === 'corrected';

function measure(entries: readonly Labelled[]) {
  let [right, wrong, missed, sameRole, all] = [0, 0, 0, 0, 0];
  for (const entry of entries) {
    const found = new Map(classifyIds(entry).map(({ id, role: own }) => [id, own]));
    for (const [id, label] of Object.entries(entry.labels)) {
      const own = found.get(id);
      all++;
      if (own === label) sameRole++;
      if (isFix(label) && isFix(own)) right++;
      else if (isFix(label)) missed++;
      else if (isFix(own)) wrong++;
    }
    for (const [id, own] of found) if (!(id in entry.labels) && isFix(own)) wrong++;
  }
  return { precision: right / (right + wrong), recall: right / (right + missed), roles: sameRole / all };
}

for (const [set, least] of [
  ['development', { precision: 0.995, recall: 0.995, roles: 0.985 }],
  ['held-out-1', { precision: 0.99, recall: 0.99, roles: 0.99 }],
  ['held-out-2', { precision: 0.98, recall: 0.98, roles: 0.98 }],
] as const) {
  test(`fixed identifiers of ${set}: precision and recall`, async (context) => {
    const got = measure(await read(set));
    context.diagnostic(
      `${set}: precision ${got.precision.toFixed(4)}, recall ${got.recall.toFixed(4)}, roles ${got.roles.toFixed(4)}`,
    );
    for (const key of ['precision', 'recall', 'roles'] as const) {
      assert.ok(got[key] >= least[key], `${key} ${got[key].toFixed(4)}, expected at least ${least[key]}`);
    }
  });
}

test('no package is in both halves, no entry in two sets, and there are at least 500', async () => {
  const sets = {
    development: await read('development'),
    first: await read('held-out-1'),
    second: await read('held-out-2'),
  };
  const isDevelopment = (source: string) =>
    createHash('sha256').update(`plinth-corpus:${source}`).digest().readUInt32BE(0) % 2 === 0;
  assert.ok(sets.development.every(({ source }) => isDevelopment(source)));
  assert.ok([...sets.first, ...sets.second].every(({ source }) => !isDevelopment(source)));
  const keys = Object.values(sets).flatMap((set) => set.map(({ source, version }) => `${source} ${version}`));
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.length >= 500);
});
