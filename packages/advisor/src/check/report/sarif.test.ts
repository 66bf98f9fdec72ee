import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { loadKnowledge } from '../load-knowledge.ts';
import { readSources } from '../read/read-sources.ts';
import { runCheck } from '../run-check.ts';
import { checkSarif } from './sarif.ts';
import { applyWaivers, parseWaivers } from './waivers.ts';

// The schema is that of OASIS, as @microsoft/jest-sarif 1.0.0-beta.0 brings it, without its descriptions.

const FIXTURES = join(import.meta.dirname, '__fixtures__');
const OS = join(import.meta.dirname, '../../../../../os');
const TODAY = '2026-11-22';
const waivers = `waivers:
  - rule: PLM013
    workload: "*"
    reason: all of them were tried
    expires: 2027-03-31
`;

test('SARIF is valid by its schema: of real projects, with what is waived and what could not be read', async () => {
  const ajv = addFormats.default(new Ajv({ allErrors: true, strict: false, unicodeRegExp: false }));
  const schema = JSON.parse(readFileSync(join(FIXTURES, 'sarif-2.1.0-rtm.5.json'), 'utf8'));
  const isValid = ajv.compile(schema);
  const known = await loadKnowledge('plinth', OS, TODAY);
  const broken = (async function* () {
    yield Buffer.from('apiVersion: v1\nkind: Pod\nmetadata: { name: }}\n');
  })();
  const projects = join(import.meta.dirname, '../__fixtures__/projects');
  const reads = readSources([projects, '-'], { stdin: broken, signal: new AbortController().signal });
  const checked = await runCheck(reads, known, TODAY);
  const result = applyWaivers(checked, parseWaivers(waivers, 'waivers.yaml', ['PLM013']));
  assert.ok(result.problems.length > 0 && result.findings.length > 80);
  const log = JSON.parse(checkSarif(result, '1.2.3')) as { runs: readonly object[] };
  assert.ok(isValid(log), ajv.errorsText(isValid.errors));
  // A schema that takes anything would prove nothing.
  assert.ok(!isValid({ ...log, runs: [{ ...log.runs[0], results: [{}] }] }));
});
