import { GetHealthResponseSchema, HealthState, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';
import { askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { healthWord } from './health-word.ts';
import type { NodeOptions } from './node-options.ts';
import { checkFixes, checksTable, verdictExit } from './verdicts.ts';

/** showHealth asks a node for its health and shows every check. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showHealth(options: NodeOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getHealth());
  const healthy = answer.state === HealthState.HEALTHY;
  const mark = healthy ? context.style.good : context.style.bad;
  const fixes = checkFixes(answer.checks);
  return {
    data: messageData(GetHealthResponseSchema, answer),
    view: [
      checksTable(answer.checks),
      facts([
        ['uptime', formatDuration(durationMs(answer.uptime))],
        ['state', mark(healthWord(answer.state))],
      ]),
      ...(fixes === undefined ? [] : [plainText(fixes)]),
    ],
    ...verdictExit(options.exitCode, healthy),
  };
}
