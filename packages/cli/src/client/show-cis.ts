import { type CisResult, cisVerdictName, GetCisResponseSchema, messageData } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { askNode } from './ask-node.ts';
import type { NodeOptions } from './node-options.ts';

/** In the order they are counted in, the worst first. */
const VERDICTS = ['fail', 'unknown', 'accepted', 'manual', 'pass'] as const;

/**
 * showCis asks a member for the verdicts of the CIS benchmark. With `open` those that pass are counted and not listed.
 * @throws cli/context-missing, api/…, kubernetes/not-member, kubernetes/layer-refused
 */
export async function showCis(
  options: NodeOptions & { readonly open: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.kubernetes.cis());
  const count = (verdict: string) =>
    answer.results.filter((one) => cisVerdictName(one.verdict) === verdict).length;
  const rows = options.open
    ? answer.results.filter((one) => cisVerdictName(one.verdict) !== 'pass')
    : answer.results;
  const sound = count('fail') === 0 && count('unknown') === 0 && answer.results.length > 0;
  return {
    data: messageData(GetCisResponseSchema, answer),
    names: rows.map(({ id }) => id),
    view: [
      table(
        [
          { header: 'ID', value: ({ id }) => id },
          { header: 'VERDICT', value: ({ verdict }) => cisVerdictName(verdict), mark: cisMark },
          { header: 'SECTION', value: ({ section }) => section, wide: true },
          { header: 'TITLE', value: ({ title }) => title },
          { header: 'REASON', value: ({ reason }) => reason },
        ],
        rows,
        'Every check passes.',
      ),
      facts([
        ['benchmark', answer.benchmark],
        ...VERDICTS.map((verdict): [string, string] => [verdict, String(count(verdict))]),
      ]),
    ],
    exitCode: options.exitCode && !sound ? exitCodes.findings : exitCodes.ok,
  };
}

function cisMark({ verdict }: CisResult, style: Style): (text: string) => string {
  const word = cisVerdictName(verdict);
  if (word === 'pass') return style.good;
  return word === 'fail' ? style.bad : style.doubtful;
}
