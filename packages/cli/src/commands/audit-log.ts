import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions, reachTimeout } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, short, text } from '../framework/options.ts';

export const auditLogCommand = defineCommand({
  path: ['audit', 'log'],
  summary: 'Show who called what on a node, and how it ended',
  details: ['Acts and streams have a line when they begin, and one when they end.'],
  streams: true,
  examples: [
    { run: 'plinth audit log --since 2h', what: 'the last two hours' },
    { run: 'plinth audit log -f --all-nodes', what: 'every node of the cluster, as it happens' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: reachTimeout,
    ...manyNodeOptions,
    follow: short('f', flag('Go on as more is written, until Ctrl-C')),
    since: text('TIME', 'Nothing older: 15m, 2h, "2026-11-22 05:00"'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showAuditLog } = await import('../client/show-audit.ts');
    return showAuditLog(options, context);
  },
});
