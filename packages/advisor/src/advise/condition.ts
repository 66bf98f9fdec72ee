import { daysBetween } from '../facts/dates.ts';
import { compareVersions, covers } from '../facts/version-range.ts';
import type { FactValue } from '../facts/vocabulary.ts';

/** A condition over answers and facts; data, see data/rules. It can name no system: there is no word for one. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | AnswerTest
  | FactTest;

interface AnswerTest {
  readonly answer: string;
  readonly is: string | readonly string[];
}

/** One test of one fact; exactly one of the words after `fact` is there. */
export interface FactTest {
  readonly fact: string;
  /** The value, or one of the values, is one of these. */
  readonly is?: string | readonly string[] | undefined;
  /** The values include every answer to this question. */
  readonly hasAnswer?: string | undefined;
  /** The date is at most so many days away. */
  readonly withinDays?: number | undefined;
  /** The date is at most so many months away as the answer to this question says. */
  readonly withinMonthsOfAnswer?: string | undefined;
  /** The range includes the version that answers this question. */
  readonly covers?: string | undefined;
  /** The version is at most the one that answers this question. */
  readonly atMostAnswer?: string | undefined;
  /** What the test says where the fact is not known; absent: it stays unknown. */
  readonly ifUnknown?: 'true' | 'false' | undefined;
}

export type Answer = string | readonly string[];

/** What a condition is judged in. */
export interface World {
  readonly asOf: string;
  /** The answer to a question; undefined while it is not given. */
  readonly answer: (question: string) => Answer | undefined;
  /** The value of a fact; `open` names the question that must be answered before it can be told. */
  readonly fact: (key: string) => { readonly value: FactValue } | { readonly open: string } | undefined;
}

/**
 * `open`: it depends on questions without an answer. `unknown`: all is answered, and a fact is missing.
 * Neither is ever taken for true or false.
 */
export interface Verdict {
  readonly state: 'true' | 'false' | 'unknown' | 'open';
  /** Questions it still depends on. */
  readonly open: readonly string[];
  /** Facts that would be needed and are not known. */
  readonly missing: readonly string[];
}

const DAYS_A_MONTH = 30.44;

/** evaluate judges a condition in three values and one more: what is not answered yet. */
export function evaluate(condition: Condition, world: World): Verdict {
  if ('all' in condition) return join(condition.all, world, 'false');
  if ('any' in condition) return join(condition.any, world, 'true');
  if ('not' in condition) return negate(evaluate(condition.not, world));
  if ('answer' in condition) {
    const given = world.answer(condition.answer);
    if (given === undefined) return { state: 'open', open: [condition.answer], missing: [] };
    return sure(meets(given, condition.is));
  }
  return testFact(condition, world);
}

/** `deciding` is the value of a part that decides the whole: false for all, true for any. */
function join(parts: readonly Condition[], world: World, deciding: 'true' | 'false'): Verdict {
  const verdicts = parts.map((part) => evaluate(part, world));
  if (verdicts.some(({ state }) => state === deciding)) return sure(deciding === 'true');
  const open = [...new Set(verdicts.flatMap((verdict) => verdict.open))];
  const missing = [...new Set(verdicts.flatMap((verdict) => verdict.missing))];
  if (open.length > 0) return { state: 'open', open, missing };
  if (missing.length > 0) return { state: 'unknown', open, missing };
  return sure(deciding === 'false');
}

function negate(verdict: Verdict): Verdict {
  if (verdict.state === 'true') return sure(false);
  return verdict.state === 'false' ? sure(true) : verdict;
}

function sure(holds: boolean): Verdict {
  return { state: holds ? 'true' : 'false', open: [], missing: [] };
}

function testFact(test: FactTest, world: World): Verdict {
  const found = world.fact(test.fact);
  const question = test.hasAnswer ?? test.withinMonthsOfAnswer ?? test.covers ?? test.atMostAnswer;
  const given = question === undefined ? undefined : world.answer(question);
  if (found === undefined) {
    if (test.ifUnknown !== undefined) return sure(test.ifUnknown === 'true');
    // Nobody asked yet: a fact that is missing matters only to those who need it.
    const open = question !== undefined && given === undefined ? [question] : [];
    return { state: open.length > 0 ? 'open' : 'unknown', open, missing: [test.fact] };
  }
  if ('open' in found) return { state: 'open', open: [found.open], missing: [] };
  const { value } = found;
  if (test.is !== undefined) return sure(meets(value, test.is));
  if (test.withinDays !== undefined) return sure(isWithin(value, world.asOf, test.withinDays));
  if (question === undefined) return { state: 'unknown', open: [], missing: [test.fact] };
  if (given === undefined) return { state: 'open', open: [question], missing: [] };
  const answers = listOf(given);
  if (test.hasAnswer !== undefined) return sure(answers.every((one) => listOf(value).includes(one)));
  const [first = ''] = answers;
  if (test.covers !== undefined) return sure(covers(String(value), first));
  if (test.atMostAnswer !== undefined) return sure(compareVersions(String(value), first) <= 0);
  return sure(isWithin(value, world.asOf, Number(first) * DAYS_A_MONTH));
}

function meets(value: FactValue | Answer, wanted: string | readonly string[]): boolean {
  const choices = listOf(wanted);
  return listOf(value).some((one) => choices.includes(one));
}

function listOf(value: FactValue | Answer): readonly string[] {
  return Array.isArray(value) ? value : [String(value)];
}

function isWithin(value: FactValue, asOf: string, days: number): boolean {
  return daysBetween(asOf, String(value)) <= days;
}

/** questionsOf lists the questions a condition asks about. */
export function questionsOf(condition: Condition): readonly string[] {
  if ('all' in condition) return condition.all.flatMap(questionsOf);
  if ('any' in condition) return condition.any.flatMap(questionsOf);
  if ('not' in condition) return questionsOf(condition.not);
  if ('answer' in condition) return [condition.answer];
  const { hasAnswer, withinMonthsOfAnswer, covers: covered, atMostAnswer } = condition;
  return [hasAnswer, withinMonthsOfAnswer, covered, atMostAnswer].filter((one) => one !== undefined);
}

/** factsOf lists the keys of facts a condition looks at. */
export function factsOf(condition: Condition): readonly string[] {
  if ('all' in condition) return condition.all.flatMap(factsOf);
  if ('any' in condition) return condition.any.flatMap(factsOf);
  if ('not' in condition) return factsOf(condition.not);
  return 'fact' in condition ? [condition.fact] : [];
}
