import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUntested, judgeNodes, RETRY_AFTER_MS, type SelfTest, type TestedNode } from './judge-nodes.ts';
import { renderSelfTestPod, SELF_TEST_STEPS, selfTestPodName, UNTESTED_TAINT } from './self-test-pod.ts';

const NOW = 1_800_000_000_000;
const OTHER_TAINT = { key: 'example.org/gpu', effect: 'NoSchedule', value: 'a100' };

function node(name: string, changes: Partial<TestedNode> = {}): TestedNode {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '7',
    taints: [UNTESTED_TAINT],
    ready: true,
    ...changes,
  };
}

function selfTest(nodeName: string, changes: Partial<SelfTest> = {}): SelfTest {
  return {
    podName: selfTestPodName(nodeName),
    nodeName,
    nodeUid: `uid-${nodeName}`,
    state: 'running',
    ...changes,
  };
}

const nodes = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    uid: fc.constantFrom('uid-a', 'uid-b', 'uid-c', 'uid-old'),
    resourceVersion: fc.constant('1'),
    taints: fc.subarray([UNTESTED_TAINT, OTHER_TAINT]),
    ready: fc.boolean(),
  }),
  { selector: ({ name }) => name },
);
const tests = fc.uniqueArray(
  fc.record({
    podName: fc.constantFrom('pod-1', 'pod-2', 'pod-3', 'pod-4'),
    nodeName: fc.constantFrom('a', 'b', 'c', 'gone'),
    nodeUid: fc.constantFrom('uid-a', 'uid-b', 'uid-old'),
    state: fc.constantFrom('running' as const, 'passed' as const, 'failed' as const),
    endedAtMs: fc.option(fc.integer({ min: NOW - 2 * RETRY_AFTER_MS, max: NOW }), { nil: undefined }),
  }),
  { selector: ({ nodeName }) => nodeName },
);

test('a node is admitted only by a passed test of this very node, and keeps its other taints', () => {
  fc.assert(
    fc.property(nodes, tests, (known, begun) => {
      for (const action of judgeNodes(known, begun, NOW)) {
        if (action.kind !== 'admit') continue;
        const { name, uid, taints } = action.node;
        assert.ok(
          begun.some((each) => each.nodeName === name && each.nodeUid === uid && each.state === 'passed'),
        );
        assert.equal(isUntested({ taints: action.remaining }), false);
        assert.deepEqual(
          action.remaining,
          taints.filter(({ key }) => key !== UNTESTED_TAINT.key),
        );
      }
    }),
  );
});

test('no node is tested twice at once, none that is not ready, none that has passed', () => {
  fc.assert(
    fc.property(nodes, tests, (known, begun) => {
      const started = judgeNodes(known, begun, NOW).flatMap((action) =>
        action.kind === 'start' ? [action.node] : [],
      );
      for (const each of started) {
        assert.ok(each.ready && isUntested(each));
        assert.ok(!begun.some(({ nodeName }) => nodeName === each.name));
      }
      assert.equal(new Set(started.map(({ name }) => name)).size, started.length);
    }),
  );
});

test('every untested, ready node gets on: it is tested, judged, or its test runs', () => {
  fc.assert(
    fc.property(nodes, tests, (known, begun) => {
      const actions = judgeNodes(known, begun, NOW);
      for (const each of known.filter((one) => one.ready && isUntested(one))) {
        const own = begun.find(({ nodeName }) => nodeName === each.name);
        const isHandled = actions.some(
          (action) =>
            ('node' in action && action.node === each) ||
            (action.kind === 'clear' && action.podName === own?.podName),
        );
        assert.ok(isHandled || own?.state === 'running', each.name);
      }
    }),
  );
});

test('what failed is told first and tried again a little later', () => {
  const failed = selfTest('a', { state: 'failed', failedStep: 'dns', reason: 'exit code 1', endedAtMs: NOW });
  assert.deepEqual(judgeNodes([node('a')], [failed], NOW + 1_000), [
    { kind: 'report', node: node('a'), test: failed },
  ]);
  assert.deepEqual(judgeNodes([node('a')], [failed], NOW + RETRY_AFTER_MS), [
    { kind: 'clear', podName: 'plinth-self-test-a' },
  ]);
});

test('the test of a machine that was replaced under its name counts for nothing', () => {
  const old = selfTest('a', { state: 'passed', nodeUid: 'uid-before' });
  assert.deepEqual(judgeNodes([node('a')], [old], NOW), [{ kind: 'clear', podName: old.podName }]);
});

test('the pod tries every step on that node and no other', () => {
  const pod = JSON.parse(
    JSON.stringify(renderSelfTestPod({ nodeName: 'a', nodeUid: 'u', probeImage: 'plinth.local/probe:1' })),
  );
  assert.equal(pod.spec.nodeName, 'a');
  assert.deepEqual(
    pod.spec.initContainers.map(({ name }: { name: string }) => name),
    Object.keys(SELF_TEST_STEPS),
  );
  assert.deepEqual(pod.spec.initContainers[2].args, ['lookup', 'kubernetes.default.svc']);
});
