import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { podsKept } from './cluster-rules.ts';

suite('how many pods a disruption budget keeps', () => {
  // The disruption controller rounds up (Kubernetes documentation, "Specifying a Disruption Budget": a share of 7 pods at 50 % is 4).
  for (const [least, pods, kept] of [
    ['2', 5, 2],
    ['50%', 7, 4],
    ['51%', 1, 1],
    ['80%', 4, 4],
    ['75%', 4, 3],
    ['100%', 3, 3],
    ['0%', 3, 0],
    ['half', 3, undefined],
    ['', 3, undefined],
    ['1e3%', 3, undefined],
  ] as const)
    test(`"${least}" of ${pods} is ${kept}`, () => assert.equal(podsKept(least, pods), kept));
});
