import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { loadKnowledge } from './load-knowledge.ts';
import { readSources } from './read/read-sources.ts';
import { ownerText } from './report/finding.ts';
import { type CheckKnowledge, runCheck } from './run-check.ts';

// Manifests of real projects against labels that a person wrote first: how much of what matters is found (recall), and
// how much of what is found matters (precision).

const FIXTURES = join(import.meta.dirname, '__fixtures__');
const OS = join(import.meta.dirname, '../../../../os');
const labels = parse(readFileSync(join(FIXTURES, 'projects.yaml'), 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly licence: string; readonly version: string }>>;
  readonly projects: readonly {
    readonly name: string;
    readonly package: string;
    readonly expected: readonly string[];
  }[];
};

let known: CheckKnowledge;
before(async () => {
  known = await loadKnowledge('plinth', OS, '2026-11-22');
});

async function foundIn(project: string): Promise<string[]> {
  const stdin = (async function* () {})();
  const reads = readSources([join(FIXTURES, 'projects', project)], {
    stdin,
    signal: new AbortController().signal,
  });
  const result = await runCheck(reads, known, '2026-11-22');
  assert.deepEqual(result.problems, [], project);
  return result.findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, owner, container, subject }) =>
      [rule, ownerText(owner), container === '' ? '-' : container, subject].join(' | '),
    );
}

test('what is found in real projects is what a person expects', async (t) => {
  let right = 0;
  let found = 0;
  let expected = 0;
  for (const project of labels.projects) {
    const findings = await foundIn(project.name);
    const wanted = new Set(project.expected);
    const missing = project.expected.filter((one) => !findings.includes(one));
    const extra = findings.filter((one) => !wanted.has(one));
    right += findings.length - extra.length;
    found += findings.length;
    expected += project.expected.length;
    for (const one of missing) t.diagnostic(`${project.name}: not found: ${one}`);
    for (const one of extra) t.diagnostic(`${project.name}: not expected: ${one}`);
  }
  const precision = right / found;
  const recall = right / expected;
  t.diagnostic(
    `${labels.projects.length} projects, ${expected} labels, ${found} findings: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}`,
  );
  assert.ok(precision >= 0.95, `precision ${precision}`);
  assert.ok(recall >= 0.95, `recall ${recall}`);
});

test('every project in the folder is labelled, its licence allows it to be here, and there are twenty or more', () => {
  const folders = readdirSync(join(FIXTURES, 'projects')).sort();
  assert.deepEqual(labels.projects.map(({ name }) => name).sort(), folders);
  assert.ok(folders.length >= 20);
  for (const { package: name } of labels.projects)
    assert.match(labels.packages[name]?.licence ?? '', /^(?:Apache-2\.0|MIT)$/);
});
