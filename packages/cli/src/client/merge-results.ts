import { type ExitCode, exitCodes, type PlinthError } from '@plinth/base';
import type { CommandResult } from '../framework/result.ts';
import { type Block, plainText, type TableBlock, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import type { NodeOutcome } from './many-nodes.ts';

/**
 * mergeResults makes one result of what a command showed of each node: tables get a NODE column, labelled values become
 * one table, every item of the data gets a field `node`. Nodes that failed are listed last.
 */
export function mergeResults(outcomes: readonly NodeOutcome<CommandResult>[], style: Style): CommandResult {
  const sorted = outcomes.toSorted((a, b) => (a.node < b.node ? -1 : 1));
  const good = sorted.flatMap((one) => (one.ok ? [{ node: one.node, result: one.value }] : []));
  const bad = sorted.flatMap((one) => (one.ok ? [] : [one]));
  return {
    data: [
      ...good.flatMap(({ node, result }) => withNode(node, result.data)),
      ...bad.map(({ node, error }) => ({ node, error: failureData(error) })),
    ],
    names: good.flatMap(({ node, result }) =>
      (result.names ?? ['']).map((name) => (name ? `${node}/${name}` : node)),
    ),
    view: [
      ...mergeViews(good.map(({ node, result }) => ({ node, view: result.view }))),
      ...failures(bad, style),
    ],
    exitCode: exitOf(
      good.map(({ result }) => result),
      bad.map(({ error }) => error),
    ),
  };
}

/** failureData is a node's error as data, the same wherever several nodes are asked. */
export function failureData({ code, message, hint }: PlinthError) {
  return { code, message, hint };
}

/** failures says per node why it is missing from what was shown above. */
export function failures(
  bad: readonly { readonly node: string; readonly error: PlinthError }[],
  style: Style,
): readonly Block[] {
  if (bad.length === 0) return [];
  const lines = bad.flatMap(({ node, error }) => [
    `${style.bad('failed')}  ${style.strong(printable(node))}: ${printable(error.message)} [${error.code}]`,
    `  ${printable(error.hint)}`,
  ]);
  return [plainText(lines.join('\n'))];
}

/** exitOfNodes is 5 where some nodes failed and some did not; where all failed it is the code of the first error. */
export function exitOfNodes(goodCount: number, errors: readonly PlinthError[]): ExitCode | number {
  const [first] = errors;
  if (!first) return exitCodes.ok;
  return goodCount > 0 ? exitCodes.partial : first.exitCode;
}

function exitOf(good: readonly CommandResult[], errors: readonly PlinthError[]): ExitCode {
  const failed = exitOfNodes(good.length, errors);
  if (failed !== exitCodes.ok) return asExitCode(failed);
  return good.find(({ exitCode }) => exitCode)?.exitCode ?? exitCodes.ok;
}

/** asExitCode keeps to the published codes; another number is 1. */
export function asExitCode(code: number): ExitCode {
  return Object.values(exitCodes).find((known) => known === code) ?? exitCodes.failed;
}

function withNode(node: string, data: unknown): readonly object[] {
  if (Array.isArray(data)) return data.flatMap((item) => withNode(node, item));
  if (data !== null && typeof data === 'object') return [{ node, ...data }];
  return [{ node, value: data }];
}

interface NodeView {
  readonly node: string;
  readonly view: readonly Block[];
}

/** Blocks that mean the same are merged, in the order in which the first node shows them. */
function mergeViews(views: readonly NodeView[]): readonly Block[] {
  const groups = new Map<string, { readonly node: string; readonly block: Block }[]>();
  for (const { node, view } of views) {
    const seen = new Map<string, number>();
    for (const block of view) {
      const kind = block.kind === 'table' ? block.columns.map(({ header }) => header).join(' ') : block.kind;
      const count = seen.get(kind) ?? 0;
      seen.set(kind, count + 1);
      const key = `${kind} ${count}`;
      const group = groups.get(key) ?? [];
      groups.set(key, [...group, { node, block }]);
    }
  }
  return [...groups.values()].flatMap(mergeBlocks);
}

function mergeBlocks(group: readonly { readonly node: string; readonly block: Block }[]): readonly Block[] {
  const tables = group.flatMap(({ node, block }) => (block.kind === 'table' ? [{ node, block }] : []));
  if (tables.length > 0) return [mergeTables(tables)];
  const rows = group.flatMap(({ node, block }) =>
    block.kind === 'facts' ? block.rows.map(([label, value]) => ({ node, label, value })) : [],
  );
  if (rows.length > 0) {
    return [
      table(
        [
          { header: 'NODE', value: (row) => row.node },
          { header: 'FACT', value: (row) => row.label },
          { header: 'VALUE', value: (row) => row.value },
        ],
        rows,
      ),
    ];
  }
  // What to try next is for one node; of texts each line says whose it is.
  const lines = group.flatMap(({ node, block }) =>
    block.kind === 'text'
      ? block.text
          .trimEnd()
          .split('\n')
          .map((line) => `${node}  ${line}`)
      : [],
  );
  return lines.length > 0 ? [plainText(lines.join('\n'))] : [];
}

function mergeTables(tables: readonly { readonly node: string; readonly block: TableBlock }[]): TableBlock {
  const first = tables[0]?.block;
  return {
    kind: 'table',
    columns: [{ header: 'NODE' }, ...(first?.columns ?? [])],
    empty: first?.empty ?? '',
    lines: tables.flatMap(({ node, block }) =>
      block.lines.map(({ cell, mark }) => ({
        cell: (column: number) => (column === 0 ? node : cell(column - 1)),
        mark: (column: number, style: Style) =>
          column === 0 ? (text: string) => text : mark(column - 1, style),
      })),
    ),
  };
}
