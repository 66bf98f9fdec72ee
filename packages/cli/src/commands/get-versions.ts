import { GetVersionsResponseSchema, messageData } from '@plinth/api';
import { askNode, nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';

export const getVersionsCommand = defineCommand({
  path: ['get', 'versions'],
  summary: 'Show which software a node runs, as it reports itself',
  examples: [
    { run: 'plinth get versions', what: 'image, kernel, systemd, containerd, agent' },
    { run: 'plinth get versions -o json --context n1', what: 'of another node' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const answer = await askNode({ ...options, exitCode: false }, context, (node) => node.getVersions());
    const rows: [string, string][] = [
      ['image', `${answer.imageId} ${answer.imageVersion}`],
      ['system', answer.osPrettyName],
      ['support ends', answer.supportEnd],
      ['kernel', answer.kernelRelease],
      ['kernel build', answer.kernelBuild],
      ['systemd', answer.systemd],
      ['containerd', answer.containerd],
      ['plinthd', answer.agent],
      ['runtime', answer.agentRuntime],
      ['architecture', answer.architecture],
    ];
    return {
      data: messageData(GetVersionsResponseSchema, answer),
      view: [facts(rows.map(([label, value]) => [label, printable(value).trim() || '<unknown>']))],
    };
  },
});
