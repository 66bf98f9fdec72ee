import type { Style } from '../output/style.ts';
import type { Line } from './cells.ts';

// DEC private modes and ECMA-48: 1049 the other screen, 25 the cursor, 7 wrapping at the edge, 2026 a picture that is shown
// when it is whole. CUP moves, EL 0 erases to the end of the line, ED 2 the screen.
export const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
export const LEAVE = '\u001b[?7h\u001b[?25h\u001b[0m\u001b[?1049l';
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
const ERASE_REST = '\u001b[0K';

/** renderLine is a line with its marks as the terminal shows them. */
export function renderLine(line: Line, style: Style): string {
  return line.map(({ text, mark }) => (mark === undefined ? text : style[mark](text))).join('');
}

/**
 * drawChanges gives what turns one picture into the next: only lines that differ are written. "" when none does. A line is
 * erased before it is written: after its last cell the cursor still stands on it. Pure.
 * @param before rendered lines on the screen; undefined when it is not known what is there
 */
export function drawChanges(before: readonly string[] | undefined, after: readonly string[]): string {
  const changes = after.flatMap((line, row) =>
    before?.[row] === line ? [] : [`\u001b[${row + 1};1H${ERASE_REST}${line}`],
  );
  const clear = before === undefined ? '\u001b[2J' : '';
  return changes.length === 0 ? '' : `${BEGIN}${clear}${changes.join('')}${END}`;
}
