import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';

/** A piece of what a command shows to a person. */
export type Block =
  | TableBlock
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: string])[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'next'; readonly commands: readonly (readonly [command: string, what: string])[] };

export interface TableOptions {
  readonly wide: boolean;
  /** Columns of the terminal; absent when the output is not one, and nothing is cut then. */
  readonly widthChars?: number | undefined;
  readonly style: Style;
}

/** A table whose type of rows is known only to its lines, so that tables of several nodes can become one. */
export interface TableBlock {
  readonly kind: 'table';
  readonly columns: readonly Pick<Column<never>, 'header' | 'align' | 'wide'>[];
  readonly lines: readonly TableLine[];
  /** Said instead when there are no lines. */
  readonly empty: string;
}

/** One row of a table, by the number of the column. */
export interface TableLine {
  readonly cell: (column: number) => string;
  readonly mark: (column: number, style: Style) => (text: string) => string;
}

/** A table of rows of one type. `empty` is said instead when there are none. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty = 'Nothing found.',
): TableBlock {
  return {
    kind: 'table',
    columns,
    empty,
    lines: rows.map((row) => ({
      cell: (column) => columns[column]?.value(row) ?? '',
      mark: (column, style) => columns[column]?.mark?.(row, style) ?? ((text) => text),
    })),
  };
}

function renderLines({ columns, lines: rows, empty }: TableBlock, options: TableOptions): string {
  if (rows.length === 0) return `${empty}\n`;
  const typed = columns.map(
    (column, index): Column<TableLine> => ({
      ...{ header: column.header, align: column.align ?? 'left', wide: column.wide ?? false },
      value: (line) => line.cell(index),
      mark: (line, style) => line.mark(index, style),
    }),
  );
  return renderTable(typed, rows, options);
}

/** Labelled values below each other. */
export function facts(rows: readonly (readonly [label: string, value: string])[]): Block {
  return { kind: 'facts', rows };
}

/** Text as it is. */
export function plainText(text: string): Block {
  return { kind: 'text', text };
}

/** The commands worth trying next; always last, so that the eye ends there. */
export function nextCommands(commands: readonly (readonly [command: string, what: string])[]): Block {
  return { kind: 'next', commands };
}

/** renderBlocks joins blocks with an empty line between them. */
export function renderBlocks(blocks: readonly Block[], options: TableOptions): string {
  return blocks.map((block) => renderBlock(block, options)).join('\n');
}

function renderBlock(block: Block, options: TableOptions): string {
  const { style } = options;
  switch (block.kind) {
    case 'table':
      return renderLines(block, options);
    case 'facts': {
      const labelWidth = Math.max(...block.rows.map(([label]) => label.length));
      return lines(block.rows.map(([label, value]) => `${style.faint(label.padEnd(labelWidth))}  ${value}`));
    }
    case 'text':
      return block.text.endsWith('\n') ? block.text : `${block.text}\n`;
    case 'next': {
      const commandWidth = Math.max(...block.commands.map(([command]) => command.length));
      const rows = block.commands.map(
        ([command, what]) => `  ${style.strong(command.padEnd(commandWidth))}  ${style.faint(what)}`,
      );
      return lines(['Next:', ...rows]);
    }
  }
}

function lines(rows: readonly string[]): string {
  return rows.map((row) => `${row}\n`).join('');
}
