// facts, advise, migrate
export { type Advice, advise, firstOf } from './advise/advise.ts';
export type { Answer, Condition } from './advise/condition.ts';
export { type Answers, type Finding, valueText } from './advise/judge.ts';
export type { Choice, Standing } from './advise/rank.ts';
export { parseAnswer, readAnswers } from './advise/read-answers.ts';
export { loadRules, type Question, type Rule, type RuleBook } from './advise/rule-schema.ts';
export { type WhatIf, whatIfs } from './advise/what-if.ts';
export {
  ageDays,
  allFactsAt,
  type Fact,
  factsAt,
  findSubject,
  STALE_AFTER_DAYS,
} from './facts/at-date.ts';
export { dayOf, isDate } from './facts/dates.ts';
export { type Knowledge, loadKnowledge } from './facts/load.ts';
export type { Source, SubjectFile } from './facts/schema.ts';
export { describeFact, type FactValue, systemFacts } from './facts/vocabulary.ts';
