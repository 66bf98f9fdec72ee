import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseGroups, partOf, type TestOptions } from './run-tests.ts';

function names(options: Partial<TestOptions>): string[] {
  const parts = { unit: false, tools: false, boot: false, cluster: false, update: false, outsiders: false };
  const none = { ...parts, quick: false };
  return chooseGroups({ ...none, ...options }).map(({ name }) => name);
}

test('chooseGroups runs all by default but what takes an hour, in the order of their cost', () => {
  assert.deepEqual(names({}), ['types', 'lint', 'unit', 'tools', 'boot']);
  assert.deepEqual(names({ quick: true }), ['types', 'lint', 'unit', 'tools']);
  assert.deepEqual(names({ unit: true }), ['types', 'lint', 'unit']);
  assert.deepEqual(names({ boot: true, tools: true }), ['tools', 'boot']);
  assert.deepEqual(names({ cluster: true }), ['cluster']);
  assert.deepEqual(names({ update: true }), ['update']);
  assert.deepEqual(names({ outsiders: true }), ['outsiders']);
  assert.deepEqual(names({ unit: true, boot: true, only: 'layer' }), ['unit', 'boot']);
});

test('partOf sorts test files by what they need', () => {
  assert.equal(partOf('packages/x/src/a.test.ts', "import { y } from './y.ts';"), 'unit');
  assert.equal(partOf('packages/x/src/a.test.ts', "import { openToolbox } from '@plinth/toolbox';"), 'tools');
  assert.equal(partOf('tests/boot/healthy.boot.test.ts', ''), 'boot');
  assert.equal(partOf('tests/cluster/cluster.boot.test.ts', ''), 'cluster');
  assert.equal(partOf('tests/update/power-cuts.boot.test.ts', ''), 'update');
  assert.equal(partOf('tests/outsiders/critest.tool.test.ts', ''), 'outsiders');
  assert.equal(partOf('tests/outsiders/expectations.test.ts', ''), 'unit');
});
