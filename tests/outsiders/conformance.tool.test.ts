import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findKubernetesPrograms, PATIENCE_MS, startControlPlane } from '@plinth/image/testing';
import { parse } from 'yaml';
import { runE2e } from './conformance/run-e2e.ts';
import { judgeSpecs, planSpecs, readExpectations } from './expectations.ts';
import { findSuite } from './find-suite.ts';

// Kubernetes' own conformance tests against the control plane of the layer: those that need no node. Which ones need
// what is in conformance.yaml.

const RUN_MS = 20 * 60_000;
const { program, version } = await findSuite('conformance');
const kubernetes = (await findKubernetesPrograms()).find((each) => each.version === version);
const skip =
  (program === undefined && 'the suite is not compiled on this machine ("plinth test --outsiders")') ||
  (kubernetes === undefined && `Kubernetes ${version} is not compiled on this machine`);

test('the control plane passes the conformance tests that need no node', {
  skip,
  timeout: 3 * RUN_MS + PATIENCE_MS,
}, async () => {
  if (!program || !kubernetes) return;
  const expected = await readExpectations(fileURLToPath(new URL('conformance.yaml', import.meta.url)));
  assert.equal(version, expected.version, 'conformance.yaml is about this version');
  const listed: readonly { codename: string }[] = parse(
    execFileSync(program, ['--list-conformance-tests'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
  );
  const plan = planSpecs(
    expected,
    listed.map(({ codename }) => codename),
  );
  assert.deepEqual(plan.problems, []);
  await using plane = await startControlPlane(kubernetes, { controllers: true });
  const specs = await runE2e(plane, plan.runs, { program, shards: 4, timeoutMs: RUN_MS });
  assert.deepEqual(judgeSpecs(expected, specs), []);
});
