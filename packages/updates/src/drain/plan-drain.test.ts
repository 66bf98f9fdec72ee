import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type DrainPod, namesOfPods, planDrain } from './plan-drain.ts';

const pod = fc.record({
  ...{ namespace: fc.constant('n'), name: fc.constant('p'), uid: fc.uuid() },
  annotations: fc.constantFrom<Record<string, string>>({}, { 'kubernetes.io/config.mirror': 'a' }),
  controllerKind: fc.constantFrom('ReplicaSet', 'DaemonSet', 'StatefulSet', undefined),
  phase: fc.constantFrom('Running', 'Pending', 'Succeeded', 'Failed'),
  ...{ isDeleting: fc.boolean(), hasEmptyDir: fc.boolean() },
});
const rules = fc.record({ evictUnmanaged: fc.boolean(), evictEmptyDir: fc.boolean() });

suite('which pods go', () => {
  test('each pod is in one group at most; the node’s own, daemons and finished ones in none', () => {
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 8 }), rules, (pods: readonly DrainPod[], allowed) => {
        const { evict, leaving, unmanaged, holdingData } = planDrain(pods, allowed);
        const touched = [...evict, ...leaving, ...unmanaged, ...holdingData];
        assert.equal(new Set(touched).size, touched.length);
        for (const each of pods) {
          const stays =
            'kubernetes.io/config.mirror' in each.annotations ||
            each.controllerKind === 'DaemonSet' ||
            ['Succeeded', 'Failed'].includes(each.phase);
          assert.equal(touched.includes(each), !stays);
        }
        if (allowed.evictUnmanaged) assert.deepEqual(unmanaged, []);
        if (allowed.evictEmptyDir) assert.deepEqual(holdingData, []);
        for (const each of evict) {
          assert.ok(!each.isDeleting);
          assert.ok(each.controllerKind !== undefined || allowed.evictUnmanaged);
          assert.ok(!each.hasEmptyDir || allowed.evictEmptyDir);
        }
      }),
    );
  });

  test('names are bounded', () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ namespace: 'n', name: `p${index}` }));
    assert.equal(namesOfPods(many), 'n/p0, n/p1, n/p2, n/p3, n/p4 and 4 more');
  });
});
