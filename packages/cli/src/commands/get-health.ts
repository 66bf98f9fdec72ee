import { GetHealthResponseSchema, HealthState, messageData } from '@plinth/api';
import { durationMs } from '../client/duration.ts';
import { healthWord } from '../client/health-word.ts';
import { askNode, nodeOptions } from '../client/node-options.ts';
import { checkFixes, checksTable, verdictExit } from '../client/verdicts.ts';
import { defineCommand } from '../framework/command.ts';
import { facts, plainText } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export const getHealthCommand = defineCommand({
  path: ['get', 'health'],
  summary: 'Show whether a node can do its work, and why not',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get health', what: 'every check, and what to do' },
    { run: 'plinth get health --context worker-1 --exit-code', what: 'another node, in a script' },
  ],
  options: nodeOptions,
  args: {},
  run: async ({ options }, context) => {
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
  },
});
