import { closest } from '@plinth/base';
import { z } from 'zod';
import type { Condition } from './condition.ts';

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Known {
  readonly facts: readonly string[];
  readonly questions: readonly string[];
}

const GROUPS = ['all', 'any', 'not'] as const;
const QUESTION_WORDS = ['hasAnswer', 'withinMonthsOfAnswer', 'covers', 'atMostAnswer'] as const;
const WORDS = ['is', 'withinDays', ...QUESTION_WORDS] as const;
/** Deeper than anybody reads; a bound for what is walked. */
const MOST_LEVELS = 8;

/**
 * conditionSchema is the shape of a condition whose facts and questions exist. It is walked by hand and not made of
 * alternatives, so that a problem is told at its place, with the word that was meant.
 */
export function conditionSchema(
  facts: readonly string[],
  questions: readonly string[],
): z.ZodType<Condition> {
  return z.unknown().superRefine((value, context) => {
    for (const { path, message } of problemsOf(value, { facts, questions }, [], 0))
      context.addIssue({ code: 'custom', path: [...path], message });
  }) as unknown as z.ZodType<Condition>;
}

function problemsOf(value: unknown, known: Known, path: Problem['path'], level: number): Problem[] {
  if (level > MOST_LEVELS) return [{ path, message: `it is nested more than ${MOST_LEVELS} deep` }];
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return [{ path, message: 'it is no condition, expected a map with all, any, not, answer or fact' }];
  const map = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(map);
  const group = GROUPS.find((word) => keys.includes(word));
  if (group === undefined) return testProblems(map, known, path);
  if (keys.length > 1) return [{ path, message: `"${group}" stands alone, expected no other key beside it` }];
  if (group === 'not') return problemsOf(map['not'], known, [...path, 'not'], level + 1);
  const parts = map[group];
  if (!Array.isArray(parts) || parts.length === 0)
    return [{ path: [...path, group], message: `"${group}" is empty, expected a list of conditions` }];
  return parts.flatMap((part, i) => problemsOf(part, known, [...path, group, i], level + 1));
}

function testProblems(
  map: Readonly<Record<string, unknown>>,
  known: Known,
  path: Problem['path'],
): Problem[] {
  const allowed: readonly string[] = ['answer', 'fact', 'ifUnknown', ...WORDS];
  const problems = Object.keys(map)
    .filter((key) => !allowed.includes(key))
    .map((key) => ({ path: [...path, key], message: `unknown key "${key}"${guess(key, allowed)}` }));
  const subjects = ['answer', 'fact'].filter((key) => Object.hasOwn(map, key));
  const words = WORDS.filter((key) => Object.hasOwn(map, key));
  if (subjects.length !== 1 || words.length !== 1)
    problems.push({ path: [...path], message: 'a test has one answer or fact, and one word about it' });
  else if (subjects[0] === 'answer' && words[0] !== 'is')
    problems.push({ path: [...path], message: 'an answer is tested with "is" only' });
  problems.push(
    ...nameProblems(map, 'fact', known.facts, path),
    ...nameProblems(map, 'answer', known.questions, path),
  );
  for (const word of QUESTION_WORDS) problems.push(...nameProblems(map, word, known.questions, path));
  return [...problems, ...valueProblems(map, path)];
}

function nameProblems(
  map: Readonly<Record<string, unknown>>,
  key: string,
  names: readonly string[],
  path: Problem['path'],
) {
  const name = map[key];
  if (name === undefined || (typeof name === 'string' && names.includes(name))) return [];
  const what = key === 'fact' ? 'fact' : 'question';
  return [{ path: [...path, key], message: `no ${what} is called "${name}"${guess(String(name), names)}` }];
}

function valueProblems(map: Readonly<Record<string, unknown>>, path: Problem['path']) {
  const { is, withinDays, ifUnknown } = map;
  const isTexts = (value: unknown) =>
    typeof value === 'string' ||
    (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'));
  return [
    ...(is !== undefined && !isTexts(is)
      ? [{ path: [...path, 'is'], message: '"is" has no text or list of texts' }]
      : []),
    ...(withinDays !== undefined && !Number.isInteger(withinDays)
      ? [{ path: [...path, 'withinDays'], message: '"withinDays" is no whole number' }]
      : []),
    ...(ifUnknown !== undefined && ifUnknown !== 'true' && ifUnknown !== 'false'
      ? [{ path: [...path, 'ifUnknown'], message: '"ifUnknown" is neither "true" nor "false", as texts' }]
      : []),
  ];
}

function guess(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? '' : `, did you mean "${meant}"?`;
}
