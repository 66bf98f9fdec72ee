import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { policySpec } from '../../objects/index.ts';
import type { Member, Standing } from './pool.ts';
import { statisticalCap, takenOf, waveState, wavesOf } from './waves.ts';

const policy = policySpec.parse({ nodeSelector: { matchLabels: { a: 'b' } } });
const waves = wavesOf(policy, 'Standard');

function members(standings: readonly Standing[], classes = 1): Member[] {
  return standings.map(
    (standing, index) => ({ standing, hardware: `class-${index % classes}`, isDown: false }) as Member,
  );
}

const repeat = (standing: Standing, count: number) => Array.from({ length: count }, () => standing);

suite('waves', () => {
  test('no further than 5 % before 59 nodes are good, nor than 25 % before 299, or all of the share', () => {
    assert.equal(statisticalCap({ whole: 5000, good: 0 }), 250);
    assert.equal(statisticalCap({ whole: 5000, good: 58 }), 250);
    assert.equal(statisticalCap({ whole: 5000, good: 59 }), 1250);
    assert.equal(statisticalCap({ whole: 5000, good: 298 }), 1250);
    assert.equal(statisticalCap({ whole: 5000, good: 299 }), 5000);
    assert.equal(statisticalCap({ whole: 200, good: 9 }), 10);
    assert.equal(statisticalCap({ whole: 200, good: 10 }), 50);
    assert.equal(statisticalCap({ whole: 200, good: 50 }), 200);
  });

  test('the numbers are those that see a fault with 95 % confidence', () => {
    for (const [nodes, share] of [
      [59, 0.05],
      [299, 0.01],
    ] as const) {
      assert.ok(1 - (1 - share) ** nodes >= 0.95);
      assert.ok(1 - (1 - share) ** (nodes - 1) < 0.95);
    }
  });

  test('the cap grows with good nodes, leaves room while there is any, and lets every fleet finish', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8000 }), fc.nat(8000), (whole, seed) => {
        const good = seed % whole;
        assert.ok(statisticalCap({ whole, good }) > good, 'all good and no room: it would stand still');
        assert.ok(statisticalCap({ whole, good }) <= statisticalCap({ whole, good: good + 1 }));
      }),
    );
  });

  test('canaries are some of each hardware class; one that failed is replaced by another', () => {
    const fresh = waveState(waves, 0, members(repeat('staged', 9), 3));
    assert.deepEqual([fresh.room, fresh.upTo, fresh.isFull], [3, 3, false]);
    const failed = waveState(waves, 0, members(['denied', 'done', 'done', 'staged', 'staged', 'staged'], 3));
    assert.deepEqual([failed.room, failed.isFull], [1, false]);
    const good = waveState(waves, 0, members(['done', 'done', 'done', 'staged', 'staged', 'staged'], 3));
    assert.deepEqual([good.room, good.isFull], [0, true]);
  });

  test('a canary that soaks is no room for another, and not good yet', () => {
    const state = waveState(waves, 0, members(['soaking', 'staged', 'staged']));
    assert.deepEqual([state.room, state.isFull], [0, false]);
  });

  test('nodes that did not say what they run keep a wave of canaries open', () => {
    assert.equal(waveState(waves, 0, members(repeat('unknown', 4))).isFull, false);
  });

  test('a wave takes no more than its share, of whatever fleet', () => {
    const standing = fc.constantFrom<Standing>(
      ...([
        'done',
        'soaking',
        'in-flight',
        'staged',
        'waiting',
        'denied',
        'held',
        'lost',
        'unknown',
      ] as const),
    );
    fc.assert(
      fc.property(
        fc.array(standing, { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 4 }),
        (all, index) => {
          const state = waveState(waves, index, members(all));
          const { begun, whole } = takenOf(members(all));
          assert.ok(state.room === 0 || begun + state.room <= state.upTo);
          assert.ok(state.upTo <= whole);
        },
      ),
    );
  });

  test('Critical has waves of its own, with canaries all the same', () => {
    const critical = wavesOf(policy, 'Critical');
    assert.deepEqual(
      critical.map(({ perClass, upTo, soak }) => perClass ?? `${upTo} ${soak}`),
      [1, '5% 5m', '100% 0s'],
    );
  });
});
