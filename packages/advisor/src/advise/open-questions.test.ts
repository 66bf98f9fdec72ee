import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKnowledge } from '../facts/load.ts';
import { advise, firstOf } from './advise.ts';
import type { Answer } from './condition.ts';
import type { Answers } from './judge.ts';
import { loadRules, type Question } from './rule-schema.ts';
import { whatIfs } from './what-if.ts';

const knowledge = await loadKnowledge();
const book = await loadRules(knowledge);
const asOf = '2026-11-22';

function answerTo({ id, choices, several }: Question): fc.Arbitrary<readonly [string, Answer]> {
  const one = fc.constantFrom(...Object.keys(choices));
  const answer: fc.Arbitrary<Answer> = several ? fc.uniqueArray(one, { minLength: 1, maxLength: 2 }) : one;
  return answer.map((value) => [id, value] as const);
}

const whole: fc.Arbitrary<Answers> = fc
  .tuple(...book.questions.map(answerTo))
  .map((pairs) => Object.fromEntries(pairs));

test('a question that is not asked any more can change the first place in no way, whatever the others are answered', () => {
  fc.assert(
    fc.property(
      whole,
      whole,
      fc.uniqueArray(fc.constantFrom(...book.questions.map(({ id }) => id)), { maxLength: 12 }),
      (one, other, given) => {
        const pick = (from: Answers, ids: readonly string[]): Answers =>
          Object.fromEntries(ids.flatMap((id) => (from[id] === undefined ? [] : [[id, from[id]]])));
        const answers = pick(one, given);
        const open = advise(knowledge, book, answers, asOf).open.map(({ id }) => id);
        const closed = book.questions
          .map(({ id }) => id)
          .filter((id) => !given.includes(id) && !open.includes(id));
        // The same answers to what is open; two ways of answering what is not.
        const asked = { ...answers, ...pick(one, open) };
        const first = firstOf(advise(knowledge, book, asked, asOf));
        const changed = firstOf(advise(knowledge, book, { ...asked, ...pick(other, closed) }, asOf));
        assert.deepEqual([...changed].sort(), [...first].sort());
      },
    ),
    { numRuns: 300 },
  );
});

test('asking ends early: one platform whose systems are all alike out needs no further question', () => {
  const nothing = advise(
    knowledge,
    book,
    { platform: ['aks'], spread: 'several', purpose: 'optimised' },
    asOf,
  );
  assert.deepEqual(firstOf(nothing), []);
  assert.deepEqual(nothing.open, []);
  const all = advise(knowledge, book, {}, asOf).open.length;
  const fewer = advise(knowledge, book, { platform: ['ack'] }, asOf).open.length;
  assert.ok(fewer < all);
});

test('what an open question is for is true: each of those asked first changes the answer for somebody', () => {
  const aks = { platform: ['aks'], spread: 'one', compliance: 'strict', operator: 'platform-vendor' };
  const advice = advise(knowledge, book, aks, asOf);
  for (const { id, choices } of advice.open) {
    const results = Object.keys(choices).map((choice) =>
      firstOf(advise(knowledge, book, { ...aks, [id]: choice }, asOf)).join(),
    );
    assert.ok(new Set(results).size > 1, id);
  }
});

test('what would change says who comes first then, and that it is not sure where a fact is missing', () => {
  const advice = advise(knowledge, book, { platform: ['bare-metal'], operator: 'community' }, '2026-11-22');
  const found = whatIfs(knowledge, book, advice);
  const of = (question: string, instead: string) =>
    found.find((one) => one.question === question && one.instead === instead);
  assert.equal(of('fips', 'required')?.isUncertain, false);
  assert.equal(of('certification', 'fedramp')?.isUncertain, true);
  for (const { question, instead, first, isUncertain } of found) {
    const answers = { ...advice.answers, [question]: question === 'platform' ? [instead] : instead };
    const { choices } = advise(knowledge, book, answers, '2026-11-22');
    assert.deepEqual(
      choices.filter(({ place }) => place === 1).map(({ system, standing }) => [system.id, standing]),
      first.map((id) => [id, isUncertain ? 'uncertain' : 'fits']),
    );
  }
});
