import {
  type Answers,
  adviceBrief,
  adviceReport,
  advise,
  changeCosts,
  decisionPath,
  loadKnowledge,
  loadMoves,
  loadRules,
  parseAnswer,
  pathMermaid,
  pathSvg,
  type RuleBook,
  readAnswers,
  whatIfs,
} from '@plinth/advisor';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { wrapText } from '../output/wrap-text.ts';
import { adviceData } from './advice-data.ts';
import { dayAsked } from './as-of.ts';
import { askAnswers } from './ask-answers.ts';
import { readInput } from './read-input.ts';
import { readPairs } from './read-pairs.ts';
import { reportBlocks } from './report-blocks.ts';
import { documentEndings, documentForms, reportEnding, saveReport } from './save-report.ts';

/** The decision path can be written alone, as a drawing. */
const ENDINGS = [...documentEndings, '.svg', '.mmd'] as const;

export interface AdviseOptions {
  readonly spread: string | undefined;
  readonly compliance: string | undefined;
  readonly operator: string | undefined;
  readonly platform: string | undefined;
  /** More answers, as question=choice with commas between. */
  readonly answer: string | undefined;
  readonly answers: string | undefined;
  readonly asOf: string | undefined;
  readonly questions: boolean;
  readonly report: string | undefined;
}

/** runAdvise answers which OS to take: from flags, a file, or by asking on the terminal. */
export async function runAdvise(options: AdviseOptions, context: CommandContext): Promise<CommandResult> {
  if (options.report !== undefined) reportEnding(options.report, ENDINGS);
  const knowledge = await loadKnowledge();
  const [book, moves] = await Promise.all([loadRules(knowledge), loadMoves(knowledge)]);
  if (options.questions) return listQuestions(book);
  const asOf = dayAsked(options.asOf);
  const given = await answersOf(options, book);
  const { askText, say, style } = context;
  const answers =
    given ?? (askText ? await askAnswers(knowledge, book, asOf, { askText, say, style }) : noAnswers());
  const advice = advise(knowledge, book, answers, asOf);
  const path = decisionPath(knowledge, book, advice);
  const parts = {
    knowledge,
    book,
    advice,
    path,
    whatIfs: whatIfs(knowledge, book, advice),
    costs: changeCosts(knowledge, moves, advice),
  };
  const report = adviceReport(parts);
  const data = { ...adviceData(parts), diagram: pathMermaid(path) };
  if (options.report !== undefined)
    await saveReport<(typeof ENDINGS)[number]>(options.report, {
      ...documentForms(report, data),
      '.svg': () => `${pathSvg(path)}\n`,
      '.mmd': () => `${pathMermaid(path)}\n`,
    });
  return {
    data,
    names: advice.choices.filter(({ place }) => place !== undefined).map(({ system }) => system.id),
    view: [
      ...reportBlocks(context.format === 'wide' ? report : adviceBrief(parts), style),
      nextCommands(nextOf(parts, options)),
    ],
  };
}

function noAnswers(): never {
  throw usageError(
    'nothing was answered, and there is no terminal to ask on',
    'Give answers by --platform, --spread and the like, or --answers FILE; see "plinth advise --questions".',
  );
}

/** Answers of the flags over those of the file; undefined when there are none, so that they are asked for. */
async function answersOf(options: AdviseOptions, book: RuleBook): Promise<Answers | undefined> {
  const { spread, compliance, operator, platform } = options;
  const flags = Object.entries({
    spread,
    compliance,
    operator,
    platform,
    ...readPairs('--answer', options.answer),
  });
  const given = flags.flatMap(([id, text]) => (text === undefined ? [] : [[id, text] as const]));
  if (given.length === 0 && options.answers === undefined) return undefined;
  const fromFile =
    options.answers === undefined
      ? {}
      : readAnswers(await readInput(options.answers), options.answers, book.questions);
  const fromFlags = given.map(([id, text]) => {
    const question = book.questions.find((one) => one.id === id);
    if (!question)
      throw usageError(
        `there is no question "${id}", expected one of ${book.questions.map((one) => one.id).join(', ')}`,
      );
    try {
      return [id, parseAnswer(text, question)] as const;
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      throw usageError(`the answer to ${id} is ${reason.message}`);
    }
  });
  return { ...fromFile, ...Object.fromEntries(fromFlags) };
}

function listQuestions({ questions }: RuleBook): CommandResult {
  const lines = questions.map(({ id, ask, choices }) => {
    const widthChars = Math.max(...Object.keys(choices).map(({ length }) => length));
    const means = Object.entries(choices).flatMap(([choice, what]) =>
      wrapText(what, 80 - widthChars - 4).map(
        (line, i) => `  ${(i === 0 ? choice : '').padEnd(widthChars)}  ${line}`,
      ),
    );
    return [`${id}: ${ask}`, ...means].join('\n');
  });
  return {
    data: questions,
    names: questions.map(({ id }) => id),
    view: [plainText(lines.join('\n\n'))],
  };
}

function openText({ length }: readonly string[]): string {
  return length === 1 ? 'can still change it' : `one of ${length} that can still change it`;
}

function nextOf(
  { advice }: Parameters<typeof adviceReport>[0],
  { report }: AdviseOptions,
): readonly (readonly [string, string])[] {
  const [first] = advice.choices;
  const open = advice.open.map(({ id }) => id);
  return [
    ...(open.length > 0 ? [[`plinth advise … --answer ${open[0]}=…`, openText(open)] as const] : []),
    ...(first && first.place !== undefined
      ? [[`plinth advisor facts ${first.system.id}`, 'its facts, with sources'] as const]
      : []),
    report === undefined
      ? ['plinth advise … --report FILE.html', 'everything, with the diagram']
      : [report, 'has all systems, all reasons and the diagram'],
  ];
}
