import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';

export const etcdMembersCommand = defineCommand({
  path: ['etcd', 'members'],
  summary: 'List the members of the database, and how many may be lost',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth etcd members', what: 'as the current node sees them' },
    { run: 'plinth etcd members --exit-code -o name', what: 'in a script' },
  ],
  options: nodeOptions,
  args: {},
  run: async ({ options }, context) => {
    const { showEtcdMembers } = await import('../client/show-etcd.ts');
    return showEtcdMembers(options, context);
  },
});
