import { GetBootReportResponseSchema, messageData } from '@plinth/api';
import { durationMs } from '../client/duration.ts';
import { askNode, nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';
import { facts, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export const getBootCommand = defineCommand({
  path: ['get', 'boot'],
  summary: 'Show where the time of the last boot went',
  examples: [
    { run: 'plinth get boot', what: 'firmware, loader, kernel, initrd, userspace' },
    { run: 'plinth get boot --units', what: 'and the slowest units' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    units: flag('List the units that took longest to start'),
  },
  args: {},
  run: async ({ options }, context) => {
    const answer = await askNode({ ...options, exitCode: false }, context, (node) => node.getBootReport());
    const totalMs = answer.phases.reduce((sum, { duration }) => sum + durationMs(duration), 0);
    const phases = table(
      [
        { header: 'PHASE', value: (phase) => phase.name },
        { header: 'TIME', value: (phase) => formatDuration(durationMs(phase.duration)), align: 'right' },
      ],
      answer.phases,
      'The node does not know its boot phases.',
    );
    const units = table(
      [
        { header: 'UNIT', value: (unit) => unit.unit },
        { header: 'TIME', value: (unit) => formatDuration(durationMs(unit.duration)), align: 'right' },
      ],
      answer.slowestUnits,
    );
    return {
      data: messageData(GetBootReportResponseSchema, answer),
      view: [
        phases,
        ...(options.units ? [units] : []),
        facts([
          ['sum', `${formatDuration(totalMs)}${answer.finished ? '' : ', still booting'}`],
          ['crash records', answer.crashRecords.join(', ') || '<none>'],
        ]),
      ],
    };
  },
});
