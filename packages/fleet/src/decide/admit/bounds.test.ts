import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type PolicySpec, policySpec } from '../../objects/index.ts';
import { apiBound, availableBound, churnBound, maxUnavailableOf, policyBound, smallest } from './bounds.ts';

function policyOf(spec: Record<string, unknown>): PolicySpec {
  return policySpec.parse({ nodeSelector: { matchLabels: { pool: 'a' } }, ...spec });
}

const withMost = (maxUnavailable: number | string, more = {}) =>
  policyOf({ capacity: { maxUnavailable, ...more } });
const percent = fc.integer({ min: 0, max: 100 });
const nodes = fc.integer({ min: 0, max: 20_000 });

suite('maxUnavailable', () => {
  test('is rounded down, one at least, and nothing of the only node unless that is allowed', () => {
    assert.equal(maxUnavailableOf(withMost('10%'), 'Standard', 39), 3);
    assert.equal(maxUnavailableOf(withMost('10%'), 'Standard', 5), 1);
    assert.equal(maxUnavailableOf(withMost(7), 'Standard', 5), 5);
    assert.equal(maxUnavailableOf(withMost('100%'), 'Standard', 1), 0);
    assert.equal(maxUnavailableOf(withMost('10%', { allowSingleNode: true }), 'Standard', 1), 1);
    assert.equal(maxUnavailableOf(withMost('10%'), 'Standard', 0), 0);
  });

  test('a share is in whole numbers: 7 % of 100 is 7 though 0.07 × 100 is not', () => {
    for (let share = 0; share <= 100; share += 1)
      assert.equal(maxUnavailableOf(withMost(`${share}%`), 'Standard', 100), Math.max(1, share));
  });

  test('Critical raises a share to 20 %, and leaves a number, which is a word of a person', () => {
    assert.equal(maxUnavailableOf(withMost('10%'), 'Critical', 100), 20);
    assert.equal(maxUnavailableOf(withMost('30%'), 'Critical', 100), 30);
    assert.equal(maxUnavailableOf(withMost(2), 'Critical', 100), 2);
  });

  test('control planes go one at a time in every lane', () => {
    const policy = policyOf({ role: 'ControlPlane', capacity: { maxUnavailable: '100%' } });
    for (const lane of ['Standard', 'High', 'Critical'] as const)
      assert.equal(maxUnavailableOf(policy, lane, 5), 1);
  });

  test('grows with the share and with the nodes, never past either (kubernetes#32425: one at a time for 100,000)', () => {
    fc.assert(
      fc.property(percent, percent, nodes, nodes, (a, b, n, m) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const [few, many] = n < m ? [n, m] : [m, n];
        const of = (share: number, count: number) =>
          maxUnavailableOf(withMost(`${share}%`), 'Standard', count);
        assert.ok(of(low, few) <= of(high, few));
        assert.ok(of(low, few) <= of(low, many));
        assert.ok(of(low, few) <= Math.max(1, (low * few) / 100));
      }),
    );
  });
});

suite('bounds', () => {
  test('nodes that are down for other reasons take their share (NVIDIA/NVSentinel#1764, machine-config-operator)', () => {
    assert.equal(policyBound(withMost('10%'), 'Standard', { nodes: 100, down: 4 }).value, 6);
    assert.equal(policyBound(withMost('10%'), 'Standard', { nodes: 100, down: 14 }).value, -4);
  });

  test('minAvailable is rounded up and never relaxed', () => {
    const policy = policyOf({ capacity: { minAvailable: '90%' } });
    assert.equal(availableBound(policy, { nodes: 11, down: 0 }).value, 1);
    assert.equal(availableBound(policy, { nodes: 9, down: 0 }).value, 0);
    assert.equal(
      availableBound(policyOf({ capacity: { minAvailable: 30 } }), { nodes: 9, down: 0 }).value,
      -21,
    );
  });

  test('what is advised suffices', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5000 }),
        percent,
        fc.nat(100),
        fc.nat(5000),
        (count, share, down, wish) => {
          const capacity = { nodes: count, down: Math.min(down, count) };
          const need = 1 + (wish % Math.max(1, count - capacity.down));
          fc.pre(need + capacity.down <= count);
          const bound = policyBound(withMost(`${share}%`), 'Standard', capacity);
          const [, advised] = /maxUnavailable: (.+)/.exec(bound.adviceFor(need)) ?? [];
          assert.ok(policyBound(withMost(advised ?? ''), 'Standard', capacity).value >= need);
          const floor = availableBound(policyOf({ capacity: { minAvailable: `${share}%` } }), capacity);
          const [, least] = /minAvailable: (.+)/.exec(floor.adviceFor(need)) ?? [];
          const relaxed = policyOf({ capacity: { minAvailable: Number(least) } });
          assert.ok(availableBound(relaxed, capacity).value >= need);
        },
      ),
    );
  });

  test('evictions and our own writes are shared by all policies, and advised rates suffice', () => {
    const rate = (maxEvictionsPerSecond: number) => policyOf({ churn: { maxEvictionsPerSecond } });
    assert.equal(churnBound(rate(20), 360, 25, 0).value, 288);
    assert.equal(churnBound(rate(20), 360, 25, 88).value, 200);
    assert.equal(churnBound(rate(0.1), 1, 25, 0).value, 1);
    const [, advised] = /Second: (.+)/.exec(churnBound(rate(1), 360, 25, 10).adviceFor(400)) ?? [];
    assert.ok(churnBound(rate(Number(advised)), 360, 25, 10).value >= 400);
    assert.equal(apiBound(360, 0).value, 400);
    assert.equal(apiBound(360, 50).value, 350);
  });

  test('the smallest binds', () => {
    const bounds = [apiBound(360, 0), policyBound(withMost('10%'), 'Standard', { nodes: 100, down: 0 })];
    assert.equal(smallest(bounds)?.name, 'maxUnavailable');
    assert.equal(smallest([]), undefined);
  });
});
