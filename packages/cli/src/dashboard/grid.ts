import { cellCount, harmless, type Line, type Mark, pad } from './cells.ts';

/** One cell of a grid. */
export interface Cell {
  readonly text: string;
  readonly mark?: Mark | undefined;
}

export interface GridColumn {
  readonly header: string;
  readonly align?: 'left' | 'right';
}

const GAP = 2;
const SMALLEST = 6;

/** grid aligns rows under their headers; where the width is too small, the widest columns are cut. */
export function grid(
  columns: readonly GridColumn[],
  rows: readonly (readonly Cell[])[],
  widthCells: number,
): readonly Line[] {
  const clean = rows.map((row) => row.map(({ text, mark }) => ({ text: harmless(text), mark })));
  const widths = columns.map(({ header }, index) =>
    Math.max(header.length, ...clean.map((row) => cellCount(row[index]?.text ?? ''))),
  );
  const total = () => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
  while (total() > widthCells) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= SMALLEST) break;
    widths[widest] = width - 1;
  }
  const line = (cells: readonly Cell[]): Line =>
    columns.map(({ align = 'left' }, index) => {
      const { text = '', mark } = cells[index] ?? {};
      const last = index === columns.length - 1;
      const padded = pad(text, widths[index] ?? 0, align);
      return { text: last ? padded.trimEnd() : `${padded}${' '.repeat(GAP)}`, mark };
    });
  return [line(columns.map(({ header }) => ({ text: header, mark: 'faint' }))), ...clean.map(line)];
}

/** facts are labelled values below each other. */
export function facts(rows: readonly (readonly [label: string, value: Cell])[]): readonly Line[] {
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, { text, mark }]) => [
    { text: `${label.padEnd(width)}  `, mark: 'faint' },
    { text, mark },
  ]);
}
