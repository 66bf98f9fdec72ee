import {
  type Advice,
  type Answer,
  type Answers,
  advise,
  firstOf,
  type Knowledge,
  parseAnswer,
  type Question,
  type RuleBook,
} from '@plinth/advisor';
import type { CommandContext } from '../framework/context.ts';

/** The questions of the guide, and where: they are asked of everybody. */
const ALWAYS = ['spread', 'compliance', 'operator', 'platform'];

/**
 * askAnswers asks on the terminal: first what everybody is asked, then only what can still change which system comes
 * first. An empty line leaves a question open; "." ends the asking.
 */
export async function askAnswers(
  knowledge: Knowledge,
  book: RuleBook,
  asOf: string,
  { askText, say, style }: Required<Pick<CommandContext, 'askText' | 'say' | 'style'>>,
): Promise<Answers> {
  let answers: Answers = {};
  const asked = new Set<string>();
  say('Enter a number or a word; nothing leaves a question open, "." ends the asking.');
  for (;;) {
    const advice = advise(knowledge, book, answers, asOf);
    const question = nextQuestion(book, advice, asked);
    if (!question) return answers;
    asked.add(question.id);
    if (asked.size > ALWAYS.length) say(style.faint(standing(knowledge, advice, asked)));
    const answer = await askOne(question, { askText, style });
    if (answer === 'end') return answers;
    if (answer !== undefined) answers = { ...answers, [question.id]: answer };
  }
}

function nextQuestion(book: RuleBook, advice: Advice, asked: ReadonlySet<string>): Question | undefined {
  const always = book.questions.find(({ id }) => ALWAYS.includes(id) && !asked.has(id));
  return always ?? advice.open.find(({ id }) => !asked.has(id));
}

/** What the answers so far lead to, and how much is left to ask. */
function standing(knowledge: Knowledge, advice: Advice, asked: ReadonlySet<string>): string {
  const names = firstOf(advice).map((id) => knowledge.systems.find((one) => one.id === id)?.name ?? id);
  const left = advice.open.filter(({ id }) => !asked.has(id)).length + 1;
  return `So far: ${names.join(' or ') || 'none fits'}; at most ${left} more can change that.`;
}

async function askOne(
  question: Question,
  { askText, style }: Required<Pick<CommandContext, 'askText' | 'style'>>,
): Promise<Answer | 'end' | undefined> {
  const ids = Object.keys(question.choices);
  const widthChars = Math.max(...ids.map(({ length }) => length));
  const many = question.several ? ', several with commas' : question.free ? ', or a version' : '';
  const prompt = `1-${ids.length}${many}: `;
  // The question is part of what is asked, so that -q does not hide it.
  const lines = [
    '',
    style.strong(question.ask),
    ...ids.map((id, i) => `  ${i + 1}  ${id.padEnd(widthChars)}  ${style.faint(question.choices[id] ?? '')}`),
    prompt,
  ];
  let text = lines.join('\n');
  for (;;) {
    const line = (await askText(text)).trim();
    if (line === '') return undefined;
    if (line === '.') return 'end';
    try {
      const words = line.split(',').map((word) => byNumber(word.trim(), ids));
      return parseAnswer(words.join(','), question);
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      text = `Not ${reason.message}.\n${prompt}`;
    }
  }
}

/** A number stands for the choice at that place; anything else for itself. */
function byNumber(word: string, ids: readonly string[]): string {
  return (/^\d{1,2}$/.test(word) ? ids[Number(word) - 1] : undefined) ?? word;
}
