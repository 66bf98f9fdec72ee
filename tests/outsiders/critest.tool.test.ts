import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findOsTree } from '@plinth/agent/testing';
import { openToolbox } from '@plinth/toolbox';
import { runCritest } from './cri/run-critest.ts';
import { judgeSpecs, planSpecs, readExpectations } from './expectations.ts';
import { findLayerTree, findSuite } from './find-suite.ts';

// The validation of container runtimes by the people who define the interface (cri-tools), against the containerd and
// the crun of the built system in that system's own root. What cannot run here, and why, is in critest.yaml.

const RUN_MS = 15 * 60_000;
const { program, version } = await findSuite('critest');
const [tree, layer] = [await findOsTree(), await findLayerTree()];
const skip =
  (program === undefined && 'critest is not compiled on this machine ("plinth test --outsiders")') ||
  (tree === undefined && 'no system is built on this machine') ||
  (layer === undefined && 'no Kubernetes layer is built on this machine') ||
  (process.getuid?.() !== 0 && 'containers need root');

test('the runtime passes the CRI validation', { skip, timeout: 2 * RUN_MS }, async () => {
  const expected = await readExpectations(fileURLToPath(new URL('critest.yaml', import.meta.url)));
  assert.equal(version, expected.version, 'critest.yaml is about this version');
  const toolbox = await openToolbox({ name: 'outsiders' });
  const leftOut = expected.leftOut.map(({ match }) => match).join('|');
  const node = { trees: [layer ?? '', tree ?? ''], critest: program ?? '', toolbox };
  const { specs, log } = await runCritest(node, leftOut, RUN_MS);
  // With the benchmarks, which are another suite in the same program, and which it leaves out by itself.
  const validation = specs.filter(({ name }) => !name.includes('benchmark'));
  const plan = planSpecs(
    expected,
    validation.map(({ name }) => name),
  );
  const told = new Set(plan.runs);
  const problems = [
    ...plan.problems,
    ...judgeSpecs(
      expected,
      validation.filter(({ name }) => told.has(name)),
    ),
  ];
  if (problems.length > 0) {
    const kept = join(tmpdir(), 'plinth-critest.log');
    await writeFile(kept, log);
    problems.push(`what critest and containerd said is in ${kept}`);
  }
  assert.deepEqual(problems, []);
});
