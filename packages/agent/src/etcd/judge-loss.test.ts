import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeLoss, quorumOf } from './judge-loss.ts';

const members = fc
  .array(fc.record({ learner: fc.boolean(), healthy: fc.boolean() }), { minLength: 1, maxLength: 9 })
  .map((list) => list.map((member, index) => ({ ...member, id: `${index}`, name: `node-${index}` })));

test('a loss is let only when a majority of voters answers afterwards', () => {
  fc.assert(
    fc.property(members, fc.nat(8), fc.constantFrom('stops', 'leaves'), (list, index, kind) => {
      const lost = list[index % list.length]?.id ?? '';
      const { ok } = judgeLoss(list, lost, kind);
      const voters = list.filter(({ learner }) => !learner);
      // Raft counts votes one by one: told apart from the code under test by doing so.
      const agrees = (group: typeof list) => group.filter(({ healthy }) => healthy).length * 2 > group.length;
      const after =
        kind === 'leaves'
          ? voters.filter(({ id }) => id !== lost)
          : voters.map((voter) => (voter.id === lost ? { ...voter, healthy: false } : voter));
      const votes = voters.some(({ id }) => id === lost);
      const safe = (kind === 'stops' || agrees(voters)) && (votes ? agrees(after) : true);
      assert.equal(ok, safe);
    }),
  );
});

test('examples', () => {
  const cluster = (...healthy: boolean[]) =>
    healthy.map((is, index) => ({ id: `${index}`, name: `n${index}`, learner: false, healthy: is }));
  assert.deepEqual(judgeLoss(cluster(true), '0', 'stops'), {
    ok: false,
    reason: 'n0 is the only member',
    lastMember: true,
  });
  assert.deepEqual(judgeLoss(cluster(true, true, true), '0', 'stops'), { ok: true });
  assert.deepEqual(judgeLoss(cluster(true, true, false), '2', 'leaves'), { ok: true });
  assert.deepEqual(judgeLoss(cluster(true, true, false), '0', 'stops'), {
    ok: false,
    reason: 'without n0 1 healthy members stay, expected at least 2',
    lastMember: false,
  });
  assert.equal(judgeLoss(cluster(true, false, false), '2', 'leaves').ok, false);
  assert.equal(judgeLoss(cluster(true, true), 'ff', 'stops').ok, false);
  assert.deepEqual([1, 2, 3, 4, 5].map(quorumOf), [1, 2, 2, 3, 3]);
});
