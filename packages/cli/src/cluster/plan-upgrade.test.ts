import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions, parseVersion, planUpgrade, type UpgradeNode } from './plan-upgrade.ts';

const node = (name: string, changes: Partial<UpgradeNode> = {}): UpgradeNode => ({
  name,
  role: name.startsWith('w') ? 'worker' : 'control-plane',
  membership: 'member',
  version: '1.36.4',
  layers: ['1.36.4', '1.37.1'],
  ...changes,
});
const steps = (nodes: readonly UpgradeNode[]) => {
  const plan = planUpgrade(nodes, '1.37.1');
  assert.ok(plan.ok, plan.ok ? '' : plan.reason);
  return plan.steps.map(({ kind, name }) => `${kind} ${name}`);
};

test('control planes come one by one before workers, whatever the order they are named in', () => {
  assert.deepEqual(steps([node('w1'), node('a'), node('w2'), node('b')]), [
    'upgrade a',
    'upgrade b',
    'upgrade w1',
    'upgrade w2',
  ]);
});

test('every layer is there before the first node changes', () => {
  const bare = { layers: ['1.36.4'] };
  assert.deepEqual(steps([node('a'), node('w1', bare), node('b', bare)]), [
    'stage b',
    'stage w1',
    'upgrade a',
    'upgrade b',
    'upgrade w1',
  ]);
});

test('a second client waits for what the first one began, and does the rest', () => {
  const nodes = [node('a', { version: '1.37.1' }), node('b', { busyWith: 'upgrade' }), node('w1')];
  assert.deepEqual(steps(nodes), ['await b', 'upgrade w1']);
  assert.deepEqual(steps([node('a', { version: '1.37.1' })]), []);
});

for (const [title, nodes, target, reason] of [
  ['down', [node('a', { version: '1.37.2' })], '1.37.1', /already/],
  ['over a minor version', [node('a', { version: '1.35.9' })], '1.37.1', /2 minor versions behind/],
  ['away from an old kubelet', [node('a'), node('w', { version: '1.33.0' })], '1.37.1', /kubelet.*three/],
  ['to another major version', [node('a')], '2.0.0', /same major/],
  ['without a control plane', [node('w')], '1.37.1', /no control plane/],
  ['a node that is no member', [node('a'), node('b', { membership: 'none' })], '1.37.1', /no member/],
  ['a node that is busy', [node('a', { busyWith: 'leave' })], '1.37.1', /at its leave/],
  ['a node of an unknown role', [node('a'), node('b', { role: 'unknown' })], '1.37.1', /unknown role/],
  ['to what is no version', [node('a')], 'newest', /no version/],
] as const) {
  test(`planUpgrade does not go ${title}`, () => {
    const plan = planUpgrade(nodes, target);
    assert.ok(!plan.ok);
    assert.match(plan.reason, reason);
  });
}

const version = fc.tuple(fc.constant(1), fc.integer({ min: 33, max: 39 }), fc.integer({ min: 0, max: 3 }));
const nodeArbitrary = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'w1', 'w2', 'w3'),
  version: version.map((parts) => parts.join('.')),
  has: fc.boolean(),
});

test('no plan ever lets a kubelet be newer than any API server, or API servers differ by two minor versions', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(nodeArbitrary, { selector: ({ name }) => name, minLength: 1 }),
      version.map((parts) => parts.join('.')),
      (given, target) => {
        const nodes = given.map(({ name, has, ...rest }) =>
          node(name, { ...rest, layers: has ? [target] : [] }),
        );
        // Versions as they are before may break the rules already; only what the plan does is judged.
        const plan = planUpgrade(nodes, target);
        if (!plan.ok) return;
        const now = new Map(nodes.map((each) => [each.name, each.version]));
        const layers = new Map(nodes.map((each) => [each.name, new Set(each.layers)]));
        for (const step of plan.steps) {
          if (step.kind === 'stage') layers.get(step.name)?.add(target);
          if (step.kind !== 'upgrade') continue;
          assert.ok(layers.get(step.name)?.has(target), 'upgrade without its layer');
          assert.equal(step.from, now.get(step.name));
          now.set(step.name, target);
          if (nodes.find(({ name }) => name === step.name)?.role !== 'worker') continue;
          for (const each of nodes) {
            if (each.role !== 'control-plane') continue;
            assert.ok(
              compareVersions(target, now.get(each.name) ?? '') <= 0,
              'kubelet newer than API server',
            );
          }
        }
        assert.deepEqual(new Set(now.values()), new Set([target]));
      },
    ),
  );
});

test('parseVersion reads whole versions only; compareVersions orders by number', () => {
  assert.deepEqual(parseVersion('1.37.10'), [1, 37, 10]);
  for (const text of ['1.37', 'v1.37.1', '1.37.1-rc.0', '', '1.37.1 '])
    assert.equal(parseVersion(text), undefined);
  assert.ok(compareVersions('1.37.10', '1.37.9') > 0);
});
