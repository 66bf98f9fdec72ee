import type { FactTest } from './condition.ts';
import type { Finding, Judged } from './judge.ts';
import { boundsOf, isOut } from './rank.ts';
import type { Question } from './rule-schema.ts';

/**
 * openQuestions are the questions whose answer can still change which system comes first; in the order of the data.
 * A system that cannot come first any more asks nothing. A rule that says the same of every system that can is no reason
 * to ask either, unless it can take the last one away.
 */
export function openQuestions(
  judged: readonly Judged[],
  questions: readonly Question[],
): readonly Question[] {
  const rated = judged.map((one) => ({ one, ...boundsOf(one) }));
  const sureOf = Math.max(...rated.map(({ least }) => least));
  const contenders = rated.filter(({ most }) => !isOut(most) && most >= sureOf).map(({ one }) => one);
  const open = new Map<string, { finding: Finding; count: number }[]>();
  for (const { findings } of contenders) {
    for (const finding of findings.filter(({ state }) => state === 'open')) {
      const list = open.get(finding.rule.id) ?? [];
      const same = list.find((entry) => sameQuestions(entry.finding, finding));
      if (same) same.count++;
      else list.push({ finding, count: 1 });
      open.set(finding.rule.id, list);
    }
  }
  const wanted = new Set<string>();
  for (const list of open.values()) {
    for (const { finding, count } of list) {
      // Whether answers to it hit all alike can be told only where it depends on nothing but answers.
      const alike = count === contenders.length && dependsOnAnswersOnly(finding);
      if (alike && finding.rule.effect !== 'disqualifies') continue;
      for (const question of finding.open) wanted.add(question);
    }
  }
  return questions.filter(({ id }) => wanted.has(id));
}

function sameQuestions(a: Finding, b: Finding): boolean {
  return a.open.length === b.open.length && a.open.every((question) => b.open.includes(question));
}

/**
 * All that is left of the condition are the same tests of answers: then it says the same of every system it is open for.
 * That is so for a plain list of tests whose facts are known, and none of which holds a fact against an answer.
 */
function dependsOnAnswersOnly({ open, missing, rule }: Finding): boolean {
  if (missing.length > 0 || open.includes('platform')) return false;
  const tests = 'all' in rule.when ? rule.when.all : [rule.when];
  return tests.every((test) => 'answer' in test || ('fact' in test && isAboutFactOnly(test)));
}

function isAboutFactOnly(test: FactTest): boolean {
  return test.is !== undefined || test.withinDays !== undefined;
}
