import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Condition, evaluate, type World } from './condition.ts';

const QUESTIONS = ['a', 'b', 'c'];
const KEYS = ['x', 'y', 'z'];
const WORDS = ['one', 'two'];

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ answer: fc.constantFrom(...QUESTIONS), is: fc.constantFrom(...WORDS) }),
  fc.record({ fact: fc.constantFrom(...KEYS), is: fc.constantFrom(...WORDS) }),
  fc.record({ fact: fc.constantFrom(...KEYS), hasAnswer: fc.constantFrom(...QUESTIONS) }),
  fc.record({
    fact: fc.constantFrom(...KEYS),
    is: fc.constantFrom(...WORDS),
    ifUnknown: fc.constantFrom('true', 'false'),
  }),
) as fc.Arbitrary<Condition>;

const condition = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node;

const choice = fc.constantFrom(...WORDS);
const partial = (keys: readonly string[]) =>
  fc.record(Object.fromEntries(keys.map((key) => [key, choice])), { requiredKeys: [] });
type Given = Readonly<Record<string, string>>;

function worldOf(answers: Given, facts: Given): World {
  return {
    asOf: '2026-11-22',
    answer: (question) => answers[question],
    fact: (key) => (facts[key] === undefined ? undefined : { value: facts[key] }),
  };
}

test('what is settled stays settled: no further answer turns true or false round, and no open question is left unnamed', () => {
  fc.assert(
    fc.property(
      condition,
      partial(QUESTIONS),
      partial(QUESTIONS),
      partial(KEYS),
      (when, few, more, facts) => {
        const before = evaluate(when, worldOf(few as Given, facts as Given));
        const after = evaluate(when, worldOf({ ...more, ...few } as Given, facts as Given));
        if (before.state === 'true' || before.state === 'false') assert.equal(after.state, before.state);
        assert.equal(before.state === 'open', before.open.length > 0);
        for (const question of before.open) assert.equal((few as Given)[question], undefined);
        // An answer to a question that was not named as open changes nothing.
        const others = Object.fromEntries(Object.entries(more).filter(([key]) => !before.open.includes(key)));
        const unasked = evaluate(when, worldOf({ ...others, ...few } as Given, facts as Given));
        assert.equal(unasked.state, before.state);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a fact that comes to be known turns nothing round that was settled without it', () => {
  const plain = condition.filter((when) => !JSON.stringify(when).includes('ifUnknown'));
  fc.assert(
    fc.property(plain, partial(QUESTIONS), partial(KEYS), partial(KEYS), (when, answers, few, more) => {
      const before = evaluate(when, worldOf(answers as Given, few as Given)).state;
      const after = evaluate(when, worldOf(answers as Given, { ...more, ...few } as Given)).state;
      if (before === 'true' || before === 'false') assert.equal(after, before);
    }),
    { numRuns: 1000 },
  );
});

test('with all answered and all known nothing is unknown, and not is its opposite', () => {
  const whole = (keys: readonly string[]) => fc.record(Object.fromEntries(keys.map((key) => [key, choice])));
  fc.assert(
    fc.property(condition, whole(QUESTIONS), whole(KEYS), (when, answers, facts) => {
      const world = worldOf(answers as Given, facts as Given);
      const { state } = evaluate(when, world);
      assert.ok(state === 'true' || state === 'false');
      assert.equal(evaluate({ not: when }, world).state, state === 'true' ? 'false' : 'true');
    }),
  );
});

test('dates and versions', () => {
  const facts: Record<string, string> = { retires: '2026-12-10', kubernetes: '1.28-1.36', cli: '2.86.0' };
  const world = (answers: Given): World => ({
    asOf: '2026-11-22',
    answer: (question) => answers[question],
    fact: (key) => (facts[key] === undefined ? undefined : { value: facts[key] }),
  });
  const state = (when: Condition, answers: Given = {}) => evaluate(when, world(answers)).state;
  assert.equal(state({ fact: 'retires', withinDays: 18 }), 'true');
  assert.equal(state({ fact: 'retires', withinDays: 17 }), 'false');
  assert.equal(state({ fact: 'retires', withinMonthsOfAnswer: 'm' }, { m: '1' }), 'true');
  assert.equal(state({ fact: 'retires', withinMonthsOfAnswer: 'm' }, { m: '0' }), 'false');
  assert.equal(state({ fact: 'kubernetes', covers: 'v' }, { v: '1.36.4' }), 'true');
  assert.equal(state({ fact: 'kubernetes', covers: 'v' }, { v: '1.37' }), 'false');
  assert.equal(state({ fact: 'cli', atMostAnswer: 'v' }, { v: '2.100.0' }), 'true');
  assert.equal(state({ fact: 'cli', atMostAnswer: 'v' }, { v: '2.9.0' }), 'false');
  assert.equal(state({ fact: 'none', covers: 'v' }), 'open');
  assert.equal(state({ fact: 'none', covers: 'v' }, { v: '1.36' }), 'unknown');
});
