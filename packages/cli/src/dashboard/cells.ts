import { printable } from '../output/printable.ts';

/** How a piece of text is meant; names of Style. */
export type Mark = 'strong' | 'faint' | 'good' | 'bad' | 'doubtful' | 'active';

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly mark?: Mark | undefined;
}

/** A line of the picture, not yet fitted to a width. */
export type Line = readonly Span[];

// Characters that terminals disagree about, or that change their neighbours: format and bidirectional controls, private
// and unassigned code points, halves of pairs, pictures.
const UNSURE =
  /[\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Regional_Indicator}\u2028\u2029]|(?!\p{ASCII})\p{Extended_Pictographic}/gu;
/** Marks that take no cell: a name could pile up hundreds of them. */
const NO_CELL = /[\p{Mn}\p{Me}]/gu;
// East Asian Wide and Fullwidth (UAX #11), in blocks: a terminal gives them two cells.
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1b000}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$/u;

/** harmless makes text of a node safe to show in cells: no controls, no marks without a cell, no unsure widths. */
export function harmless(text: string): string {
  return printable(text.normalize('NFC')).replace(UNSURE, '?').replace(NO_CELL, '');
}

/** cellCount is how many cells harmless text takes. */
export function cellCount(text: string): number {
  let count = 0;
  for (const char of text) count += WIDE.test(char) ? 2 : 1;
  return count;
}

/** cut keeps what fits into so many cells; what was cut is told by a last "~". */
export function cut(text: string, widthCells: number): string {
  if (cellCount(text) <= widthCells) return text;
  let kept = '';
  let count = 0;
  for (const char of text) {
    count += WIDE.test(char) ? 2 : 1;
    if (count > widthCells - 1) break;
    kept += char;
  }
  return widthCells > 0 ? `${kept}~` : '';
}

/** pad cuts or fills harmless text to exactly so many cells. */
export function pad(text: string, widthCells: number, align: 'left' | 'right' = 'left'): string {
  const kept = cut(text, widthCells);
  const fill = ' '.repeat(Math.max(0, widthCells - cellCount(kept)));
  return align === 'right' ? fill + kept : kept + fill;
}

/** fitLine makes a line harmless and cuts it to so many cells. */
export function fitLine(line: Line, widthCells: number): Line {
  const fitted: Span[] = [];
  let left = widthCells;
  for (const { text, mark } of line) {
    if (left <= 0) break;
    const kept = cut(harmless(text), left);
    left -= cellCount(kept);
    if (kept !== '') fitted.push({ text: kept, mark });
  }
  return fitted;
}

/** wrap breaks harmless text between words into lines of at most so many cells; a longer word is cut. */
export function wrap(text: string, widthCells: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of harmless(text).split(/\s+/)) {
    if (line !== '' && cellCount(line) + 1 + cellCount(word) > widthCells) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => cut(each, Math.max(1, widthCells)));
}

/** lineText is a line without its marks. */
export function lineText(line: Line): string {
  return line.map(({ text }) => text).join('');
}
