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
  /** They may be out: a fact that would tell is not known. */
  readonly isUncertain: boolean;
}

/** whatIfs turns each answer round, one at a time, and keeps what changes the first place, or makes it unsure. */
export function whatIfs(knowledge: Knowledge, book: RuleBook, advice: Advice): readonly WhatIf[] {
  const now = endOf(advice);
  return book.questions.flatMap(({ id, choices }) => {
    const was = advice.answers[id];
    return Object.keys(choices)
      .filter((choice) => choice !== [was].flat().join())
      .flatMap((instead): WhatIf[] => {
        const answers: Answers = { ...advice.answers, [id]: id === 'platform' ? [instead] : instead };
        const then = advise(knowledge, book, answers, advice.asOf);
        if (endOf(then) === now) return [];
        return [{ question: id, was, instead, first: firstOf(then), isUncertain: isUncertain(then) }];
      });
  });
}

/** Who comes first and whether that is sure, to be compared. */
function endOf(advice: Advice): string {
  return [...firstOf(advice), isUncertain(advice)].join();
}

function isUncertain({ choices }: Advice): boolean {
  return choices.some(({ place, standing }) => place === 1 && standing === 'uncertain');
}
