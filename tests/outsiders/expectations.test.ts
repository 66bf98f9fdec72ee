import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeSpecs, planSpecs } from './expectations.ts';
import { readSpecs, type SpecResult } from './ginkgo-report.ts';

const spec = (name: string, state: SpecResult['state'], message = ''): SpecResult => ({
  ...{ name, state, message, durationMs: 1 },
});
const nodes = { match: 'pods', reason: 'no nodes', specs: 1 };

test('what runs is what is named, and the rest needs a reason', () => {
  const names = ['a works', 'pods work', 'b works'];
  assert.deepEqual(planSpecs({ runs: ['^a'], leftOut: [nodes] }, names), {
    runs: ['a works'],
    problems: ['neither run nor left out: b works'],
  });
  assert.deepEqual(planSpecs({ runs: ['^[ab] '], leftOut: [nodes] }, names).problems, []);
  assert.deepEqual(planSpecs({ runs: ['works', 'gone'], leftOut: [nodes] }, names).problems, [
    'nothing to run has the name gone',
  ]);
});

test('without names, all runs but what is left out, and each reason holds for as many as it says', () => {
  assert.deepEqual(planSpecs({ leftOut: [nodes] }, ['a', 'pods', 'pods too']), {
    runs: ['a'],
    problems: ['left out by pods: 2, expected 1'],
  });
});

test('a failure, a spec passed over without a reason and a number that falls are each told', () => {
  const expected = { passed: 2, skipsItself: [nodes] };
  const good = [spec('a', 'passed'), spec('b', 'passed'), spec('pods', 'skipped')];
  assert.deepEqual(judgeSpecs(expected, good), []);
  assert.deepEqual(judgeSpecs(expected, [spec('a', 'failed', 'why'), ...good]), ['failed: a: why']);
  assert.deepEqual(judgeSpecs(expected, [...good, spec('c', 'skipped', 'no')]), ['passed over: c: no']);
  assert.deepEqual(judgeSpecs(expected, good.slice(1)), ['passed: 1, expected 2']);
  assert.deepEqual(judgeSpecs(expected, good.slice(0, 2)), ['skips itself by pods: 0, expected 1']);
});

test('a report gives specs by their full names, and a failure of the set-up too', () => {
  const node = { LeafNodeType: 'It', ContainerHierarchyTexts: ['[x]', 'y'], LeafNodeText: 'z', RunTime: 2e6 };
  const report = [
    {
      SpecReports: [
        { ...node, State: 'passed' },
        { ...node, State: 'timedout', Failure: { Message: 'late' } },
        { ...node, State: 'pending' },
        {
          ...node,
          LeafNodeType: 'BeforeSuite',
          ContainerHierarchyTexts: null,
          LeafNodeText: '',
          State: 'passed',
        },
        {
          ...{ ...node, LeafNodeType: 'AfterSuite', ContainerHierarchyTexts: null, LeafNodeText: '' },
          ...{ State: 'panicked', Failure: { Message: 'gone' } },
        },
      ],
    },
  ];
  assert.deepEqual(readSpecs(JSON.stringify(report)), [
    { name: '[x] y z', state: 'passed', message: '', durationMs: 2 },
    { name: '[x] y z', state: 'failed', message: 'late', durationMs: 2 },
    { name: '[x] y z', state: 'skipped', message: '', durationMs: 2 },
    { name: 'AfterSuite', state: 'failed', message: 'gone', durationMs: 2 },
  ]);
});
