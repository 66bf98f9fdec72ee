import { type Advice, advise } from '../advise/advise.ts';
import { valueText } from '../advise/judge.ts';
import type { RuleBook } from '../advise/rule-schema.ts';
import type { Knowledge } from '../facts/load.ts';

/** One step on the way to the answer: a question, what was answered, and which systems that took out. */
export interface PathStep {
  readonly question: string;
  readonly answer: string;
  readonly out: readonly string[];
  /** How many systems are left after it. */
  readonly left: number;
}

/** A way from all systems to the one that comes first. */
export interface DecisionPath {
  readonly asOf: string;
  readonly all: number;
  /** Out at the date, whatever is answered. */
  readonly outFirst: readonly string[];
  readonly steps: readonly PathStep[];
  readonly first: readonly string[];
}

/** decisionPath replays the answers one by one, in the order of the questions. */
export function decisionPath(knowledge: Knowledge, book: RuleBook, advice: Advice): DecisionPath {
  const outOf = (answers: Advice['answers']) =>
    advise(knowledge, book, answers, advice.asOf)
      .choices.filter(({ standing }) => standing === 'out')
      .map(({ system }) => system.name);
  const outFirst = outOf({});
  let answers: Advice['answers'] = {};
  let out = outFirst;
  const steps = book.questions.flatMap(({ id, ask, choices }): PathStep[] => {
    const answer = advice.answers[id];
    if (answer === undefined) return [];
    answers = { ...answers, [id]: answer };
    const before = out;
    out = outOf(answers);
    const words = [answer].flat().map((one) => choices[one] ?? one);
    return [
      {
        question: ask,
        answer: valueText(words),
        out: out.filter((name) => !before.includes(name)),
        left: advice.choices.length - out.length,
      },
    ];
  });
  const first = advice.choices.filter(({ place }) => place === 1).map(({ system }) => system.name);
  return { asOf: advice.asOf, all: advice.choices.length, outFirst, steps, first };
}

/** pathMermaid writes the path as a Mermaid flowchart. */
export function pathMermaid(path: DecisionPath): string {
  const label = (text: string) => `"${text.replaceAll('"', '#quot;').replace(/[<>]/g, ' ')}"`;
  const lines = ['flowchart TD', `  all[${label(`${path.all} systems on ${path.asOf}`)}]`];
  if (path.outFirst.length > 0) lines.push(`  all --> gone[${label(`out: ${path.outFirst.join(', ')}`)}]`);
  let previous = 'all';
  path.steps.forEach((step, i) => {
    const id = `q${i + 1}`;
    lines.push(`  ${previous} --> ${id}{{${label(`${step.question} ${step.answer}`)}}}`);
    if (step.out.length > 0) lines.push(`  ${id} --> o${i + 1}[${label(`out: ${step.out.join(', ')}`)}]`);
    previous = id;
  });
  const end = path.first.length > 0 ? path.first.join(' or ') : 'none fits';
  return [...lines, `  ${previous} --> first([${label(end)}])`].join('\n');
}
