import type { TableOptions } from './blocks.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** One column of a table. Headers are upper case without spaces; NAME comes first, AGE last. */
export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Only with -o wide. */
  readonly wide?: boolean;
  /** Marks the already padded cell, e.g. by verdict. */
  readonly mark?: (row: Row, style: Style) => (text: string) => string;
}

const GAP = '  ';
/** A column is never cut below this, so that what is left still says something. */
const SMALLEST_CUT = 8;

/** renderTable aligns rows under their headers, without borders; on a narrow terminal the widest column is cut. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string {
  const shown = columns.filter((column) => options.wide || !column.wide);
  // An empty cell says so, as kubectl spells it.
  const cells = rows.map((row) => shown.map((column) => printable(column.value(row)) || '<none>'));
  const widths = shown.map((column, i) =>
    Math.max(column.header.length, ...cells.map((line) => charCount(line[i] ?? ''))),
  );
  fitTo(widths, options.widthChars);

  const place = (text: string, i: number) => {
    const width = widths[i] ?? 0;
    const cut = charCount(text) > width ? `${[...text].slice(0, width - 1).join('')}…` : text;
    const fill = ' '.repeat(width - charCount(cut));
    if (shown[i]?.align === 'right') return fill + cut;
    return i === shown.length - 1 ? cut : cut + fill;
  };
  const header = shown.map((column, i) => place(column.header, i)).join(GAP);
  const body = rows.map((row, r) =>
    shown
      .map((column, i) => {
        const text = place(cells[r]?.[i] ?? '', i);
        return column.mark ? column.mark(row, options.style)(text) : text;
      })
      .join(GAP),
  );
  return [options.style.faint(header), ...body].map((line) => `${line.trimEnd()}\n`).join('');
}

/** Cuts the widest column until the row fits; a terminal too narrow even so gets long lines rather than nothing. */
function fitTo(widths: number[], widthChars: number | undefined): void {
  if (widthChars === undefined) return;
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > widthChars) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= SMALLEST_CUT) return;
    widths[widest] = width - 1;
  }
}

function charCount(text: string): number {
  return [...text].length;
}
