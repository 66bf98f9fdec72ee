import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDocument } from '@plinth/base';
import { z } from 'zod';
import { loadKnowledge } from '../facts/load.ts';
import { systemFacts } from '../facts/vocabulary.ts';
import { advise } from './advise.ts';
import { type Condition, evaluate } from './condition.ts';
import { conditionSchema } from './condition-schema.ts';
import { loadRules, type Rule, type RuleCase } from './rule-schema.ts';

const knowledge = await loadKnowledge();
const book = await loadRules(knowledge);

function stateOf(rule: Rule, { asOf, answers, facts }: RuleCase) {
  return evaluate(rule.when, {
    asOf: asOf ?? '2026-11-22',
    answer: (question) => answers?.[question],
    fact: (key) => {
      const value = facts?.[key];
      return value === undefined ? undefined : { value };
    },
  }).state;
}

for (const rule of book.rules) {
  test(`rule ${rule.id} fires where it should, and is silent where it should`, () => {
    assert.equal(stateOf(rule, rule.fires), 'true');
    assert.equal(stateOf(rule, rule.silent), 'false');
  });

  test(`rule ${rule.id} has a case whose values exist`, () => {
    for (const { facts, answers } of [rule.fires, rule.silent]) {
      for (const [key, value] of Object.entries(facts ?? {})) {
        const kind: (typeof systemFacts)[keyof typeof systemFacts] | undefined =
          systemFacts[key as keyof typeof systemFacts];
        assert.ok(kind, key);
        const asData = kind.value.safeParse(value).success || kind.value.safeParse([value]).success;
        assert.ok(asData, `${key}: ${value}`);
      }
      for (const [question, answer] of Object.entries(answers ?? {})) {
        const choices = Object.keys(book.questions.find(({ id }) => id === question)?.choices ?? {});
        for (const one of [answer].flat()) assert.ok(choices.includes(one), `${question}: ${one}`);
      }
    }
  });
}

test('no two rules have the same id', () => {
  const ids = book.rules.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
});

test('no rule names a system or its maker, neither in its condition nor in what it says', () => {
  const names = knowledge.systems.flatMap(({ id, name, maker }) => [id, name, maker.replace(/ \(.*\)$/, '')]);
  const forbidden = names
    .filter((name) => name !== 'the project of this repository')
    .map((name) => name.toLowerCase());
  for (const { source: _, ...rule } of book.rules) {
    const text = JSON.stringify(rule).toLowerCase();
    for (const name of forbidden)
      assert.ok(!new RegExp(`\\b${name}\\b`).test(text), `${rule.id} names ${name}`);
  }
});

test('a condition has no word for a system: the schema refuses one', () => {
  const schema = conditionSchema(Object.keys(systemFacts), ['fips']);
  for (const when of [
    { system: 'plinth', is: 'plinth' },
    { fact: 'name', is: 'plinth' },
    { fact: 'id', is: 'plinth' },
    { all: [{ fact: 'fips', is: 'no', system: 'plinth' }] },
  ])
    assert.equal(schema.safeParse(when).success, false, JSON.stringify(when));
  const good: Condition = { fact: 'fips', is: 'no' };
  assert.equal(schema.safeParse(good).success, true);
});

test('what a system is called changes nothing: with names exchanged, places and points go with the facts', () => {
  const ids = knowledge.systems.map(({ id }) => id);
  const renamed = {
    ...knowledge,
    systems: knowledge.systems.map((system, i) => {
      const other = knowledge.systems[(i + 5) % knowledge.systems.length] ?? system;
      return { ...system, id: other.id, name: other.name, maker: other.maker, summary: other.summary };
    }),
  };
  for (const platform of ['aks', 'eks', 'gke', 'ack', 'on-premises', 'bare-metal']) {
    for (const compliance of ['ordinary', 'strict']) {
      const answers = { platform: [platform], compliance, spread: 'one', operator: 'community' };
      const byFacts = (choices: ReturnType<typeof advise>['choices']) =>
        new Map(
          choices.map(({ system, place, points, standing }) => [system.facts, { place, points, standing }]),
        );
      const before = byFacts(advise(knowledge, book, answers, '2026-11-22').choices);
      const after = byFacts(advise(renamed, book, answers, '2026-11-22').choices);
      assert.deepEqual(after.size, before.size);
      for (const [facts, result] of before) assert.deepEqual(after.get(facts), result);
    }
  }
  assert.ok(ids.includes('plinth'));
});

test('Plinth is judged: its gaps are told by the rules that all others are held against', () => {
  const answers = { platform: ['on-premises'], spread: 'one', compliance: 'strict', maturity: 'released' };
  const choice = advise(knowledge, book, answers, '2026-11-22').choices.find(
    ({ system }) => system.id === 'plinth',
  );
  assert.equal(choice?.standing, 'out');
  const rules = choice?.findings.filter(({ state }) => state === 'true').map(({ rule }) => rule.id) ?? [];
  for (const gap of ['not-released', 'unreleased', 'no-support', 'fips-missing', 'mac-permissive'])
    assert.ok(rules.includes(gap), gap);
});

test('a rule that names an unknown fact or question is refused at its place, with the one that was meant', () => {
  const text = [
    'when:',
    '  all:',
    '    - { fact: statsu, is: retired }',
    '    - { not: { answer: fps, is: required } }',
    '    - { fact: fips, iss: "no" }',
    '',
  ].join('\n');
  const parsed = readDocument(
    text,
    'rules.yaml',
    z.strictObject({ when: conditionSchema(Object.keys(systemFacts), ['fips']) }),
    'advisor/data-invalid',
  );
  assert.ok(!parsed.ok);
  const told = parsed.diagnostics.map(({ span, message }) => `${span?.line}:${span?.column} ${message}`);
  assert.deepEqual(told, [
    '3:15 Cannot read rules.yaml: no fact is called "statsu", did you mean "status"?',
    '4:24 Cannot read rules.yaml: no question is called "fps", did you mean "fips"?',
    '5:26 Cannot read rules.yaml: unknown key "iss", did you mean "is"?',
    '5:7 Cannot read rules.yaml: a test has one answer or fact, and one word about it',
  ]);
});
