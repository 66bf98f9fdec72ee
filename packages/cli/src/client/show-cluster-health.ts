import { type GetHealthResponse, GetHealthResponseSchema, messageData } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { healthWord } from './health-word.ts';
import { type NodeOutcome, type OnNodesOptions, onNodes } from './many-nodes.ts';
import { asExitCode, exitOfNodes, failureData } from './merge-results.ts';
import { verdictWord } from './verdicts.ts';

/** What one node answered, or why it did not. */
export type NodeHealth = NodeOutcome<GetHealthResponse>;

/** askHealth asks all nodes at the same time; one that does not answer is part of the answer. Throws: see onNodes. */
export async function askHealth(options: OnNodesOptions, context: CommandContext): Promise<NodeHealth[]> {
  const found: NodeHealth[] = [];
  for await (const outcome of onNodes(options, context, (node) => node.getHealth())) found.push(outcome);
  return found.sort((a, b) => (a.node < b.node ? -1 : 1));
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
  const rows = nodes.map((one) => ({ node: one.node, ...stateOf(one) }));
  const healthy = rows.every(({ state }) => state === 'healthy');
  const errors = nodes.flatMap((one) => (one.ok ? [] : [one.error]));
  const failed = asExitCode(exitOfNodes(nodes.length - errors.length, errors));
  return {
    data: nodes.map((one) =>
      one.ok
        ? { node: one.node, health: messageData(GetHealthResponseSchema, one.value) }
        : { node: one.node, error: failureData(one.error) },
    ),
    names: rows.map(({ node }) => node),
    view: [
      table(
        [
          { header: 'NODE', value: (row) => row.node },
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
      ...nodes.flatMap((one) => faultBlock(one, style)),
    ],
    exitCode: failed === exitCodes.ok && useExitCode && !healthy ? exitCodes.findings : failed,
  };
}

function stateOf(one: NodeHealth) {
  if (!one.ok) return { state: 'unknown', passed: 0, open: 0 };
  const { state, checks } = one.value;
  const open = checks.filter(({ verdict }) => verdictWord(verdict) !== 'pass').length;
  return { state: healthWord(state), passed: checks.length - open, open };
}

function faultBlock(one: NodeHealth, style: Style): Block[] {
  const title = style.strong(one.node);
  if (!one.ok) return [plainText(`${title}\n  ${printable(one.error.message)}\n    ${one.error.hint}`)];
  const lines = one.value.checks
    .filter(({ verdict }) => verdictWord(verdict) !== 'pass')
    .flatMap(({ id, verdict, observed, expected, cause, fix }) => [
      `  ${verdictWord(verdict) === 'fail' ? style.bad('fail') : style.doubtful('unknown')}  ${id}: ${printable(observed)}`,
      ...(expected === '' ? [] : [`    expected ${printable(expected)}`]),
      ...(cause === '' ? [] : [`    because ${printable(cause)}`]),
      ...(fix === '' ? [] : [`    ${printable(fix)}`]),
    ]);
  return lines.length === 0 ? [] : [plainText([title, ...lines].join('\n'))];
}
