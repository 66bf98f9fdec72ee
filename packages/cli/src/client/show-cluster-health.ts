import { type GetHealthResponse, GetHealthResponseSchema, HealthState, messageData } from '@plinth/api';
import { exitCodes, PlinthError } from '@plinth/base';
import { useMember } from '../cluster/observe-cluster.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { healthWord } from './health-word.ts';
import { verdictWord } from './verdicts.ts';

/** What one node answered, or why it did not. */
export type NodeHealth =
  | { readonly name: string; readonly health: GetHealthResponse }
  | { readonly name: string; readonly error: PlinthError };

/** askHealth asks all nodes at the same time; one that does not answer is part of the answer. */
export async function askHealth(
  names: readonly string[],
  timeoutMs: number,
  context: CommandContext,
): Promise<NodeHealth[]> {
  return Promise.all(
    names.map(async (name): Promise<NodeHealth> => {
      try {
        return { name, health: await useMember(name, context, timeoutMs, (node) => node.getHealth()) };
      } catch (reason) {
        if (reason instanceof PlinthError) return { name, error: reason };
        throw reason;
      }
    }),
  );
}

/**
 * showClusterHealth shows the nodes, then every check that does not pass with its cause and what to do, by node. A node
 * that could not be asked is unknown, never fine.
 */
export function showClusterHealth(
  nodes: readonly NodeHealth[],
  style: Style,
  useExitCode: boolean,
): CommandResult {
  const rows = nodes.map((node) => ({ name: node.name, ...stateOf(node) }));
  const healthy = rows.every(({ state }) => state === 'healthy');
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
    exitCode: useExitCode && !healthy ? exitCodes.findings : exitCodes.ok,
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
