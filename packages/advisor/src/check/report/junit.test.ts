import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { validateXML } from 'xmllint-wasm';
import { loadKnowledge } from '../load-knowledge.ts';
import { readSources } from '../read/read-sources.ts';
import { runCheck } from '../run-check.ts';
import { checkJunit } from './junit.ts';
import { applyWaivers, parseWaivers } from './waivers.ts';

// The schema is that of Jenkins' xUnit plugin (MIT), as the sources of pytest 8.4.2 bring it.

const SCHEMA = readFileSync(join(import.meta.dirname, '__fixtures__/junit-10.xsd'), 'utf8');
const OS = join(import.meta.dirname, '../../../../../os');
const PROJECTS = join(import.meta.dirname, '../__fixtures__/projects');
const TODAY = '2026-11-22';
const waivers = `waivers:
  - rule: PLM013
    workload: "*"
    reason: all of them were "tried" & <found> well
    expires: 2027-03-31
`;

/** Tags of odd names, as a manifest can bring them. */
const ODD = `apiVersion: v1
kind: Pod
metadata: { name: 'a"><b>&\\u0001' }
spec: { hostPID: true, containers: [{ name: "]]>", image: x }] }
---
apiVersion: v1
kind: Pod
metadata: { name: }}
`;

async function errorsOf(xml: string): Promise<string[]> {
  const { valid, errors } = await validateXML({ xml, schema: SCHEMA });
  assert.equal(valid, errors.length === 0);
  return errors.map(({ message }) => message);
}

async function check(): Promise<string> {
  const known = await loadKnowledge('plinth', OS, TODAY);
  const odd = (async function* () {
    yield Buffer.from(ODD);
  })();
  const reads = readSources([PROJECTS, '-'], { stdin: odd, signal: new AbortController().signal });
  const checked = await runCheck(reads, known, TODAY);
  const result = applyWaivers(checked, parseWaivers(waivers, 'waivers.yaml', ['PLM013']));
  assert.ok(result.problems.length > 0 && result.findings.length > 80);
  return checkJunit(result);
}

suite('JUnit by the schema of Jenkins', () => {
  test('is valid: of real projects, with odd names, what is waived and what could not be read', async () => {
    const xml = await check();
    for (const part of [
      /<testsuite [^>]* file="[^"]+\/kube-flannel\.yml">/,
      /<skipped message="all of them were &quot;tried&quot; &amp; &lt;found&gt; well/,
      /<error type="check\//,
    ])
      assert.ok(part.test(xml), String(part));
    assert.deepEqual(await errorsOf(xml), []);
  });

  const breaks: readonly (readonly [string, RegExp, string, RegExp])[] = [
    ['a case without a name', /(<testcase [^>]*) name="[^"]*"/, '$1', /attribute 'name' is required/],
    ['a suite without counts', / failures="\d+" errors="0"/, '', /attribute 'failures' is required/],
    [
      'a place on a case',
      /<testcase /,
      '<testcase file="a.yaml" line="3" ',
      /attribute 'file' is not allowed/,
    ],
    ['another element in a suite', /<\/testsuite>/, '<case/></testsuite>', /Element 'case'/],
    ['a tag left open', /<\/testsuites>/, '', /Premature end|testsuites/],
  ];
  for (const [what, found, broken, expected] of breaks)
    test(`refused: ${what}`, async () => {
      const xml = await check();
      const changed = xml.replace(found, broken);
      assert.notEqual(changed, xml);
      assert.match((await errorsOf(changed)).join('\n'), expected);
    });
});
