import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { UPDATE_TAINT } from '../../decide/decision.ts';
import { projectNode } from '../../view/project/project-core.ts';
import type { NodeView, Taint } from '../../view/view.ts';
import { podRequest, stepsOf, taintRequest } from './requests.ts';

const at = { name: 'n', uid: 'u', resourceVersion: '7' };
const own: Taint = { key: UPDATE_TAINT, value: 'r1', effect: 'NoSchedule' };

/** What a node's spec is after a JSON patch of the kind that is sent. */
function apply(node: NodeView, body: unknown): readonly Taint[] {
  let taints: readonly Taint[] = node.taints;
  for (const { op, path, value } of body as { op: string; path: string; value?: unknown }[]) {
    assert.ok(['/metadata/resourceVersion', '/metadata/uid', '/spec/taints'].includes(path), path);
    if (path === '/spec/taints') taints = op === 'remove' ? [] : (value as readonly Taint[]);
  }
  return taints;
}

suite('writes as requests', () => {
  test('our taint comes and goes, and every other stays; the cordon of a person is never touched (SUC 341, gpu-operator 304)', () => {
    const other = fc.record({
      key: fc.constantFrom('a', 'b', UPDATE_TAINT),
      value: fc.string(),
      effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(other, { selector: ({ key, effect }) => `${key} ${effect}` }), (taints) => {
        const node = { ...projectNode({ metadata: { name: 'n' } }), taints };
        const isOwn = ({ key, effect }: Taint) => key === own.key && effect === own.effect;
        const others = taints.filter((taint) => !isOwn(taint));
        const set = taintRequest({ do: 'taint', at, taint: own }, node);
        const isSet = taints.some((taint) => isOwn(taint) && taint.value === own.value);
        assert.deepEqual(apply(node, set.body), isSet ? taints : [...others, own]);
        const removed = taintRequest({ do: 'untaint', at, key: own.key, effect: own.effect }, node);
        assert.deepEqual(apply(node, removed.body), others);
        for (const { body } of [set, removed])
          assert.equal((body as unknown[]).length >= 2, true, 'it proves that the Node is as it was');
        assert.doesNotMatch(JSON.stringify([set, removed]), /unschedulable/);
      }),
    );
  });

  test('each change names the version and uid it was decided on; spec goes before status', () => {
    const spec = { nodeUid: 'u', policy: 'p' };
    const steps = stepsOf({ do: 'node-update', at, spec, status: {} }).map((step) => step.request(at));
    assert.deepEqual(
      steps.map(({ path }) => path.split('/').slice(-2).join('/')),
      ['nodeupdates/n', 'n/status'],
    );
    for (const { body } of steps)
      assert.deepEqual((body as object[]).slice(0, 2), [
        { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
        { op: 'replace', path: '/metadata/uid', value: 'u' },
      ]);
  });

  test('a NodeUpdate is owned by its Node of that uid (kured 137: locks of nodes that are gone)', () => {
    const [step] = stepsOf({ do: 'create-node-update', name: 'n', spec: { nodeUid: 'u-9', policy: 'p' } });
    const { body } = step?.request({ uid: '', resourceVersion: '' }) ?? {};
    assert.partialDeepStrictEqual(body, {
      metadata: { ownerReferences: [{ kind: 'Node', name: 'n', uid: 'u-9' }] },
    });
  });

  test('an eviction is of one pod, by uid, and asks the budget; it is never a deletion', () => {
    const asked = podRequest({ do: 'evict', namespace: 'd', pod: 'a', uid: 'u-1', graceSeconds: 30 });
    assert.equal(asked.path, '/api/v1/namespaces/d/pods/a/eviction');
    assert.partialDeepStrictEqual(asked.body, {
      deleteOptions: { preconditions: { uid: 'u-1' }, gracePeriodSeconds: 30 },
    });
  });
});
