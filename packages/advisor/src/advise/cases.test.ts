import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKnowledge } from '../facts/load.ts';
import { chooseMove } from '../migrate/choose-move.ts';
import { loadMoves } from '../migrate/move-schema.ts';
import { advise, firstOf } from './advise.ts';
import { loadCases } from './cases.ts';
import { explainChange } from './explain-change.ts';
import { loadRules } from './rule-schema.ts';

const knowledge = await loadKnowledge();
const book = await loadRules(knowledge);
const moves = await loadMoves(knowledge);
const { cases, moves: movesThen, published, today: now } = await loadCases(knowledge);

for (const one of cases) {
  test(`${one.id}: what the document chose is reproduced for its date`, () => {
    const advice = advise(knowledge, book, one.answers, published);
    if (one.first) assert.deepEqual(firstOf(advice), one.first);
    if (one.among) {
      const front = advice.choices.slice(0, one.among.length);
      assert.deepEqual(front.map(({ system }) => system.id).sort(), [...one.among].sort());
      assert.ok(front.every(({ standing }) => standing === 'fits'));
    }
    assert.ok(one.first ?? one.among);
  });

  test(`${one.id}: the answer of ${now}, and each difference has a reason`, () => {
    const before = advise(knowledge, book, one.answers, published);
    const today = advise(knowledge, book, one.answers, now);
    assert.deepEqual([...firstOf(today)].sort(), [...one.today].sort());
    for (const change of explainChange(before, today)) {
      // What came in or fell out did so by a rule, which is named.
      const reasons = change.is === 'out' ? change.came : change.was === 'out' ? change.went : undefined;
      if (reasons && change.was !== 'not known')
        assert.ok(
          reasons.some(({ rule }) => rule.effect === 'disqualifies'),
          change.name,
        );
    }
  });
}

for (const { id, from, to, inPlace } of movesThen) {
  test(`${id}: what the document says of moving is reproduced`, () => {
    const find = (name: string) => {
      const found = knowledge.systems.find((system) => system.id === name);
      assert.ok(found, name);
      return found;
    };
    const chosen = chooseMove(
      knowledge,
      moves,
      { from: find(from), to: find(to), platform: 'aks' },
      published,
    );
    assert.equal(chosen.move.inPlace, inPlace);
    assert.equal(chosen.crossing, false);
  });
}
