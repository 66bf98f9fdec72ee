import { askNode } from '../client/ask-node.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { agree, consentOption } from '../framework/consent.ts';
import { required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';

export const etcdRemoveCommand = defineCommand({
  path: ['etcd', 'remove'],
  summary: 'Remove a member of the database that does not come back',
  details: ['Refused where the quorum would be lost. A node that runs leaves by "cluster leave".'],
  examples: [
    { run: 'plinth etcd remove local-cp-2', what: 'by name or by id' },
    { run: 'plinth etcd remove cp2 --override cp2', what: 'although the quorum would be lost' },
  ],
  options: {
    override: text('NAME', "The member's name, typed by you, to lose the quorum"),
    yes: consentOption,
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
  },
  args: { member: required('MEMBER', 'Name or id of the member') },
  run: async ({ args, options }, context) => {
    const removed = await askNode(options, context, async (node) => {
      const { members } = await node.etcd.members();
      const found = members.find(({ id, name }) => id === args.member || name === args.member);
      if (!found) {
        const names = members.map(({ id, name }) => name || id).join(', ');
        throw usageError(`"${args.member}" is no member, expected one of ${names}`);
      }
      await agree(`Remove member "${found.name || found.id}" from etcd?`, options.yes, context);
      await node.etcd.remove(found.id, options.override ?? '');
      return found;
    });
    const name = removed.name || removed.id;
    return { data: { id: removed.id, name }, view: [plainText(`Member "${name}" is removed.`)] };
  },
});
