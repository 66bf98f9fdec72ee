import type { Knowledge } from '../facts/load.ts';
import { type Advice, advise, firstOf } from './advise.ts';
import type { Answer } from './condition.ts';
import type { Answers } from './judge.ts';
import type { RuleBook } from './rule-schema.ts';

/** One answer turned round, and what comes first then. */
export interface WhatIf {
  readonly question: string;
  /** What was answered; undefined when nothing was. */
  readonly was: Answer | undefined;
  readonly instead: string;
  /** Ids of the systems in the first place; empty when none is left. */
  readonly first: readonly string[];
}

/** whatIfs turns each answer round, one at a time, and keeps what changes the first place. */
export function whatIfs(knowledge: Knowledge, book: RuleBook, advice: Advice): readonly WhatIf[] {
  const now = firstOf(advice).join();
  return book.questions.flatMap(({ id, choices }) => {
    const was = advice.answers[id];
    return Object.keys(choices)
      .filter((choice) => choice !== [was].flat().join())
      .flatMap((instead): WhatIf[] => {
        const answers: Answers = { ...advice.answers, [id]: id === 'platform' ? [instead] : instead };
        const first = firstOf(advise(knowledge, book, answers, advice.asOf));
        return first.join() === now ? [] : [{ question: id, was, instead, first }];
      });
  });
}
