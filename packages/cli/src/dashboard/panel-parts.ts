import { type Check, Verdict } from '@plinth/api';
import { verdictWord } from '../client/verdicts.ts';
import { type Line, type Mark, wrap } from './cells.ts';
import type { Known } from './data.ts';
import type { Cell } from './grid.ts';

/** orUnknown shows a value when it is known; what is not known is said so, never left out. */
export function orUnknown<T>(known: Known<T> | undefined, show: (value: T) => Cell): Cell {
  if (known?.value !== undefined) {
    const { text, mark } = show(known.value);
    return { text: text === '' ? '<unknown>' : text, mark };
  }
  if (known?.problem !== undefined) return { text: `<unknown> ${known.problem}`, mark: 'doubtful' };
  return { text: '...', mark: 'faint' };
}

/** waitingLines is a panel without its data. */
export function waitingLines(known: Known<unknown> | undefined, what: string): readonly Line[] {
  if (known?.problem !== undefined)
    return [
      [{ text: `${what}: <unknown>`, mark: 'doubtful' }],
      [{ text: known.problem }],
      [{ text: 'It is tried again.', mark: 'faint' }],
    ];
  return [[{ text: `Asking for ${what} ...`, mark: 'faint' }]];
}

const MARKS: Readonly<Record<ReturnType<typeof verdictWord>, Mark>> = {
  pass: 'good',
  fail: 'bad',
  unknown: 'doubtful',
};

/** checkLines shows checks that do not pass first, each with what is behind it and what to do. */
export function checkLines(checks: readonly Check[], widthCells: number): readonly Line[] {
  const order = { fail: 0, unknown: 1, pass: 2 };
  const sorted = checks.toSorted((a, b) => order[verdictWord(a.verdict)] - order[verdictWord(b.verdict)]);
  const nameWidth = Math.min(24, Math.max(0, ...sorted.map(({ id }) => id.length)));
  return sorted.flatMap(({ id, verdict, observed, expected, cause, fix }) => {
    const word = verdictWord(verdict);
    const head: Line = [
      { text: word.padEnd(9), mark: MARKS[word] },
      { text: `${id.padEnd(nameWidth)}  ` },
      { text: observed, mark: word === 'pass' ? 'faint' : undefined },
    ];
    if (verdict === Verdict.PASS) return [head];
    const more = [expected && `expected ${expected}`, cause, fix].filter((text) => text !== '');
    return [
      head,
      ...more.flatMap((text) =>
        wrap(text, Math.max(8, widthCells - 9)).map(
          (part): Line => [{ text: `         ${part}`, mark: 'faint' }],
        ),
      ),
    ];
  });
}
