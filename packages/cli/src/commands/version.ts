import { defineCommand } from '../framework/command.ts';
import { facts } from '../output/blocks.ts';
import { readToolVersion } from '../tool-version.ts';

export const versionCommand = defineCommand({
  path: ['version'],
  summary: 'Show the version of these tools and of the Node they run on',
  examples: [
    { run: 'plinth version', what: 'for a person' },
    { run: 'plinth version -o json', what: 'for a bug report' },
  ],
  options: {},
  args: {},
  run: async () => {
    const data = {
      plinth: await readToolVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    };
    return {
      data,
      view: [
        facts([
          ['plinth', data.plinth],
          ['node', data.node],
          ['platform', data.platform],
        ]),
      ],
    };
  },
});
