import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TAINT } from './node-taints.ts';
import { type NodeVerdict, planTaints } from './plan-taints.ts';

const HOUR_MS = 60 * 60_000;

const cluster = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^n[0-9]{1,3}$/),
    tainted: fc.boolean(),
    verdict: fc.constantFrom<NodeVerdict | undefined>('pass', 'fail', 'unknown', undefined),
  }),
  { selector: ({ name }) => name, maxLength: 40 },
);

test('a fail closes a node, a pass opens it, and silence changes nothing', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((name, index) => ({ name, tainted: index % 2 === 1 }));
  const plan = (verdict: NodeVerdict) =>
    planTaints(nodes, new Map(nodes.map(({ name }) => [name, verdict])), 1, HOUR_MS);
  assert.deepEqual(plan('fail'), { taint: ['a'], untaint: [], withheld: ['c'] });
  assert.deepEqual(plan('pass'), { taint: [], untaint: ['b', 'd'], withheld: [] });
  assert.deepEqual(plan('unknown'), { taint: [], untaint: [], withheld: [] });
  assert.deepEqual(planTaints(nodes, new Map(), 1, HOUR_MS), { taint: [], untaint: [], withheld: [] });
});

test('never more than the share are closed at once, and never all of the rest by one wrong reference', () => {
  fc.assert(
    fc.property(cluster, fc.double({ min: 0, max: 1, noNaN: true }), (nodes, share) => {
      const verdicts = new Map(
        nodes.flatMap(({ name, verdict }) => (verdict === undefined ? [] : [[name, verdict] as const])),
      );
      const { taint, untaint, withheld } = planTaints(nodes, verdicts, share, HOUR_MS);
      const was = new Set(nodes.filter(({ tainted }) => tainted).map(({ name }) => name));
      const closed = new Set([...was, ...taint]).difference(new Set(untaint));
      const most = Math.max(1, Math.floor(nodes.length * share));
      // What others closed before is not opened for it, and then no more are closed.
      assert.ok(closed.size <= Math.max(most, was.size));
      for (const name of taint) assert.equal(verdicts.get(name), 'fail');
      for (const name of untaint) assert.equal(verdicts.get(name), 'pass');
      const failing = nodes.filter(({ tainted, verdict }) => !tainted && verdict === 'fail');
      assert.equal(taint.length + withheld.length, failing.length);
    }),
  );
});

test('a hundred nodes lose their pass at once: a third is closed in half an hour, and then no more', () => {
  const nodes = Array.from({ length: 100 }, (_, index) => `n${index}`);
  const verdicts = new Map(nodes.map((name) => [name, 'fail'] as const));
  const closedAtMs = new Map<string, number>();
  const closedAfter: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const nowMs = minute * 60_000;
    const seen = nodes.map((name) => {
      const taintedAtMs = closedAtMs.get(name);
      return { name, tainted: taintedAtMs !== undefined, ...(taintedAtMs !== undefined && { taintedAtMs }) };
    });
    const plan = planTaints(seen, verdicts, 0.33, nowMs);
    assert.deepEqual(plan.untaint, []);
    for (const name of plan.taint) closedAtMs.set(name, nowMs);
    closedAfter.push(closedAtMs.size);
    const lately = [...closedAtMs.values()].filter((atMs) => nowMs - atMs < 10 * 60_000);
    assert.ok(lately.length <= 11, `${lately.length} within ten minutes`);
  }
  assert.deepEqual([closedAfter[0], closedAfter[10], closedAfter[20], closedAfter.at(-1)], [11, 22, 33, 33]);
  // What is closed takes no new pods; none of the effects that end pods is ever used.
  assert.equal(TAINT.effect, 'NoSchedule');
});
