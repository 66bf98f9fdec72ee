import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { amount, countOf, orderHash, percentile } from './count.ts';
import { selectsLabels, selectsNode } from './select.ts';

test('shares are rounded as asked and never more than there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.nat(20_000), (share, total) => {
      const [down, up] = [countOf(`${share}%`, total, 'down'), countOf(`${share}%`, total, 'up')];
      assert.ok(down <= up && up - down <= 1 && up <= total);
      assert.ok(down * 100 <= share * total && up * 100 >= share * total);
    }),
  );
  assert.equal(countOf(7, 5, 'up'), 5);
});

test('p90 by nearest rank', () => {
  assert.equal(percentile([], 0.9), undefined);
  assert.equal(percentile([5], 0.9), 5);
  assert.equal(percentile([3, 1, 2], 0.9), 3);
});

test('the order of names says nothing about the order of hashes', () => {
  const hashes = Array.from({ length: 1000 }, (_, index) => orderHash(`rollout/node-${index}`));
  assert.equal(new Set(hashes).size, 1000);
  const rising = hashes.filter((hash, index) => index > 0 && hash > (hashes[index - 1] ?? 0)).length;
  assert.ok(rising > 430 && rising < 570, `${rising} of 999 neighbours rise`);
});

test('a number and its noun', () => {
  assert.deepEqual(
    [amount(0, 'node'), amount(1, 'node'), amount(2, 'node')],
    ['0 nodes', '1 node', '2 nodes'],
  );
});

test('selectors are those of Kubernetes; an empty one takes no node, and each label otherwise', () => {
  const empty = { matchLabels: {}, matchExpressions: [] };
  assert.equal(selectsNode(empty, { a: 'b' }), false);
  assert.equal(selectsLabels(empty, { a: 'b' }), true);
  const by = (operator: string, ...values: string[]) =>
    [{ a: 'x' }, { a: 'y' }, {}].map((labels) =>
      selectsLabels({ matchLabels: {}, matchExpressions: [{ key: 'a', operator, values }] }, labels),
    );
  assert.deepEqual(by('In', 'x'), [true, false, false]);
  assert.deepEqual(by('NotIn', 'x'), [false, true, true]);
  assert.deepEqual(by('Exists'), [true, true, false]);
  assert.deepEqual(by('DoesNotExist'), [false, false, true]);
  assert.deepEqual(by('Gt', '1'), [false, false, false]);
});
