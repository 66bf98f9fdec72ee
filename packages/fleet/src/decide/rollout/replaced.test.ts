import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type LedgerStatus, momentOf } from '../../objects/index.ts';
import { REPORT, sampleView } from '../node/sample-view.testing.ts';
import type { LedgerEntry } from '../node/slot.ts';
import { type Member, poolOf } from './pool.ts';
import { countedAfter, filledOf, marksOf } from './replaced.ts';

// Times are seconds of the API server's clock, in which Nodes were made.
const at = (second: number) => momentOf(second * 1000);

function entry(uid: string, after: number): LedgerEntry {
  return {
    ...{ node: uid, uid, rollout: 'r', domain: '', since: at(1) },
    replaced: { since: at(1), after: at(after), hardware: '' },
  };
}

function ledgerOf(status: Partial<LedgerStatus>) {
  return {
    ...{ name: 'workers', uid: 'u', resourceVersion: '1', generation: 1, createdAtMs: 0, spec: {} },
    status: { entries: [], epoch: 1, ...status },
  };
}

/** Nodes that came, by when they were made, as the pool of a policy shows them. */
function came(made: readonly number[], isDown: (second: number) => boolean = () => false) {
  const view = sampleView({});
  const policy = view.policies.get('workers');
  assert.ok(policy);
  const [sample] = poolOf(view, policy, undefined).members;
  assert.ok(sample);
  const members = made.map(
    (second): Member => ({
      ...sample,
      node: { ...sample.node, name: `n${second}`, uid: `n${second}`, createdAtMs: second * 1000 },
      ...{ report: REPORT, isDown: isDown(second), standing: 'done' },
    }),
  );
  return { policy, members, conflicts: [] };
}

const pairs = (gone: readonly LedgerEntry[], pool: ReturnType<typeof came>, status: Partial<LedgerStatus>) =>
  filledOf(ledgerOf({ entries: [...gone], ...status }), gone, pool).map(({ entry: { uid }, by }) => [
    uid,
    by.node.uid,
  ]);

suite('Nodes that came in the place of others', () => {
  test('one that was there when the second slot was marked and is well last still stands for the first', () => {
    // a is marked, n10 comes for it and is not well yet; b is marked, n20 comes for it and is well first.
    const gone = [entry('a', 5), entry('b', 10)];
    const early = pairs(
      gone,
      came([10, 20], (second) => second === 10),
      {},
    );
    assert.deepEqual(early, [['b', 'n20']]);
    const late = pairs([entry('a', 5)], came([10, 20]), { replacements: ['n20'] });
    assert.deepEqual(late, [['a', 'n10']]);
  });

  test('in whatever order they are well: each slot ends when as many came as went, and no Node counts twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), fc.nat(), (gaps, seed) => {
        // The i-th slot is marked when all Nodes made before that moment are known; its Node comes later.
        const marks = gaps.map((gap, index) => 10 * index + gap);
        const made = marks.map((mark) => mark + 25);
        const order = made.toSorted((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101));
        let open = marks.map((mark, index) => entry(`e${index}`, mark));
        let counted: string[] = [];
        for (let well = 1; well <= order.length; well += 1) {
          const isDown = (second: number) => !order.slice(0, well).includes(second);
          const filled = pairs(open, came(made, isDown), { replacements: counted });
          open = open.filter(({ uid }) => !filled.some(([each]) => each === uid));
          counted = [...counted, ...filled.map(([, by]) => by ?? '')];
        }
        assert.deepEqual([open, new Set(counted).size], [[], made.length]);
      }),
    );
  });

  test('one that stood for a slot stands for none that an operator marks who has not seen it', () => {
    const pool = came([10]);
    const [first] = [entry('a', 5)];
    const filled = filledOf(ledgerOf({ entries: [first] }), [first], pool);
    const status = countedAfter(ledgerOf({ entries: [first] }), filled, false);
    assert.deepEqual(status, { lastReplacement: at(10) });
    const since = at(30);
    const sample = sampleView({
      policy: { replace: { provider: 'ClusterAPI', timeout: '30m' } },
      progress: { phase: 'Replacing', admittedAt: since },
      slot: since,
    });
    const policy = sample.policies.get('workers');
    assert.ok(policy);
    const live = sample.ledgers.get('workers')?.status?.entries ?? [];
    const view = { ...sample, ledgers: new Map([['workers', ledgerOf({ entries: [...live], ...status })]]) };
    const marked = marksOf(view, policy, live);
    assert.equal(marked[0]?.replaced?.after, at(10), 'its own Nodes were all made before');
    assert.deepEqual(filledOf(ledgerOf({ entries: marked }), marked, pool), []);
  });
});
