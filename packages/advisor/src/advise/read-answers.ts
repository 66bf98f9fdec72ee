import { closest, PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { minorOf } from '../facts/version-range.ts';
import type { Answer } from './condition.ts';
import type { Answers } from './judge.ts';
import type { Question } from './rule-schema.ts';

/**
 * readAnswers reads answers from YAML or JSON: question ids with their choices.
 * @throws advisor/answers-invalid with every problem, each with line and column
 */
export function readAnswers(text: string, file: string, questions: readonly Question[]): Answers {
  const shape = Object.fromEntries(
    questions.map((question) => [question.id, answerSchema(question).optional()]),
  );
  const parsed = readDocument(text, file, z.strictObject(shape), 'advisor/answers-invalid');
  if (parsed.ok) return parsed.value as Answers;
  throw new PlinthError(
    'advisor/answers-invalid',
    `Cannot use the answers in ${file}: ${parsed.diagnostics.length} problem(s), expected none`,
    { diagnostics: parsed.diagnostics },
  );
}

function answerSchema(question: Question) {
  const one = z.string().superRefine((word, context) => {
    const problem = problemOf(word, question);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
  return question.several ? z.union([z.array(one).min(1), one.transform((word) => [word])]) : one;
}

/**
 * parseAnswer is an answer as it is typed: a choice, or several with commas where the question allows it.
 * @throws RangeError whose message reads after "value of NAME is"
 */
export function parseAnswer(text: string, question: Question): Answer {
  const words = question.several ? text.split(',').map((word) => word.trim()) : [text.trim()];
  for (const word of words) {
    const problem = problemOf(word, question);
    if (problem !== undefined) throw new RangeError(problem);
  }
  const [first = ''] = words;
  return question.several ? [...new Set(words)] : first;
}

function problemOf(word: string, { choices, free }: Question): string | undefined {
  if (Object.hasOwn(choices, word)) return undefined;
  if (free === 'version' && /^\d+\.\d+$/.test(minorOf(word) ?? '')) return undefined;
  const ids = Object.keys(choices);
  const meant = closest(word, ids);
  return `"${word}", expected ${free === 'version' ? 'a version such as 1.36' : `one of ${ids.join(', ')}`}${meant === undefined ? '' : `: did you mean ${meant}?`}`;
}
