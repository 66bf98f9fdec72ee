import { type GetHealthResponse, GetHealthResponseSchema, HealthState, messageData } from '@plinth/api';
import { exitCodes, type PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { healthWord } from './health-word.ts';
import { type OnNodesOptions, onNodes } from './many-nodes.ts';
import { asExitCode, exitOfNodes } from './merge-results.ts';
import { verdictWord } from './verdicts.ts';

/** What one node answered, or why it did not. */
export type NodeHealth =
  | { readonly name: string; readonly health: GetHealthResponse }
  | { readonly name: string; readonly error: PlinthError };

/** askHealth asks all nodes at the same time; one that does not answer is part of the answer. Throws: see onNodes. */
export async function askHealth(options: OnNodesOptions, context: CommandContext): Promise<NodeHealth[]> {
  const found: NodeHealth[] = [];
  for await (const outcome of onNodes(options, context, (node) => node.getHealth())) {
    const { node: name } = outcome;
    found.push(outcome.ok ? { name, health: outcome.value } : { name, error: outcome.error });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * showClusterHealth shows the nodes, then every check that does not pass with its cause and what to do, by node. A node
 * that could not be asked is unknown, never fine; with it the exit code is 5.
 */
export function showClusterHealth(
  nodes: readonly NodeHealth[],
  style: Style,
  useExitCode: boolean,
): CommandResult {
  const rows = nodes.map((node) => ({ name: node.name, ...stateOf(node) }));
  const healthy = rows.every(({ state }) => state === 'healthy');
  const errors = nodes.flatMap((node) => ('error' in node ? [node.error] : []));
  const failed = asExitCode(exitOfNodes(nodes.length - errors.length, errors));
  return {
    data: nodes.map((node) =>
      'health' in node
        ? { name: node.name, health: messageData(GetHealthResponseSchema, node.health) }
        : { name: node.name, error: { code: node.error.code, message: node.error.message } },
    ),
    names: rows.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'NODE', value: (row) => row.name },
          {
            header: 'STATE',
            value: (row) => row.state,
            mark: (row) =>
              row.state === 'healthy' ? style.good : row.state === 'unhealthy' ? style.bad : style.doubtful,
          },
          { header: 'PASS', value: (row) => String(row.passed), align: 'right' },
          { header: 'OPEN', value: (row) => String(row.open), align: 'right' },
        ],
        rows,
        'There is no node.',
      ),
      ...nodes.flatMap((node) => faultBlock(node, style)),
    ],
    exitCode: failed === exitCodes.ok && useExitCode && !healthy ? exitCodes.findings : failed,
  };
}

function stateOf(node: NodeHealth) {
  if ('error' in node) return { state: 'unknown', passed: 0, open: 0 };
  const open = node.health.checks.filter(({ verdict }) => verdictWord(verdict) !== 'pass').length;
  const state = node.health.state === HealthState.UNSPECIFIED ? 'unknown' : healthWord(node.health.state);
  return { state, passed: node.health.checks.length - open, open };
}

function faultBlock(node: NodeHealth, style: Style): Block[] {
  if ('error' in node) {
    return [
      plainText(`${style.strong(node.name)}\n  ${printable(node.error.message)}\n    ${node.error.hint}`),
    ];
  }
  const lines = node.health.checks
    .filter(({ verdict }) => verdictWord(verdict) !== 'pass')
    .flatMap(({ id, verdict, observed, expected, cause, fix }) => [
      `  ${verdictWord(verdict) === 'fail' ? style.bad('fail') : style.doubtful('unknown')}  ${id}: ${printable(observed)}`,
      ...(expected === '' ? [] : [`    expected ${printable(expected)}`]),
      ...(cause === '' ? [] : [`    because ${printable(cause)}`]),
      ...(fix === '' ? [] : [`    ${printable(fix)}`]),
    ]);
  return lines.length === 0 ? [] : [plainText([style.strong(node.name), ...lines].join('\n'))];
}
