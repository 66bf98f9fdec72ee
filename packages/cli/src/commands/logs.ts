import { logOptions } from '../client/log-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';

export const logsCommand = defineCommand({
  path: ['logs'],
  summary: 'Show the journal of a node or unit, or the log of a container',
  streams: true,
  examples: [
    { run: 'plinth logs kubelet -f', what: 'a service, as it writes' },
    { run: 'plinth logs kube-system/dns-1 --since 10m', what: 'a container' },
  ],
  options: {
    ...logOptions,
    lines: { ...logOptions.lines, help: 'The last so many or "all"; default: 100 without --since' },
    previous: flag("Of the container's run before the last"),
  },
  args: { source: optional('SOURCE', 'A unit, or NAMESPACE/POD[/CONTAINER]') },
  run: async ({ options, args }, context) => {
    const { showLogs } = await import('../client/show-logs.ts');
    return showLogs(options, { name: args.source, previous: options.previous }, context);
  },
});
