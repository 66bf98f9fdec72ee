import type { Knowledge } from '../facts/load.ts';
import { type Answers, type Judged, judge } from './judge.ts';
import { openQuestions } from './open-questions.ts';
import { type Choice, rank } from './rank.ts';
import type { Question, RuleBook } from './rule-schema.ts';

/** An answer to "which OS", for a date. */
export interface Advice {
  readonly asOf: string;
  readonly answers: Answers;
  readonly choices: readonly Choice[];
  /** Questions that could still change the first place. */
  readonly open: readonly Question[];
}

/** advise judges every system by the same rules and ranks them; distributions and platforms are no candidates. */
export function advise(knowledge: Knowledge, book: RuleBook, answers: Answers, asOf: string): Advice {
  const judged = judgeAll(knowledge, book, answers, asOf);
  return { asOf, answers, choices: rank(judged), open: openQuestions(judged, book.questions) };
}

function judgeAll(knowledge: Knowledge, book: RuleBook, answers: Answers, asOf: string): Judged[] {
  return knowledge.systems
    .filter(({ kind, since }) => kind === 'os' && (since ?? '') <= asOf)
    .map((system) => judge(knowledge, book.rules, system, answers, asOf));
}

/** firstOf names the systems that share the first place; none when all are out. */
export function firstOf({ choices }: Pick<Advice, 'choices'>): readonly string[] {
  return choices.filter(({ place }) => place === 1).map(({ system }) => system.id);
}
