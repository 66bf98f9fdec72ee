import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { agreeByName } from '../framework/consent.ts';
import { required, text } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const etcdRestoreCommand = defineCommand({
  path: ['etcd', 'restore'],
  summary: 'Replace the database of the cluster by a snapshot',
  details: ['The present database is lost. The node becomes the only member; others join again.'],
  examples: [
    { run: 'plinth etcd restore before.db --confirm local', what: 'on node local' },
    { run: 'plinth etcd restore a.db --context cp2 --confirm cp2', what: 'on another' },
  ],
  options: { confirm: text('NODE', "The node's name, typed by you"), context: nodeOptions.context },
  args: { file: required('FILE', 'What "plinth etcd snapshot" wrote') },
  run: async ({ args, options }, context) => {
    const { restoreSnapshot } = await import('../flows/etcd-files.ts');
    const { meantNode } = await import('../flows/node-acts.ts');
    const node = await meantNode(options.context, context);
    agreeByName(options.confirm, node, 'the present database would be lost');
    const revision = await restoreSnapshot(node, resolve(args.file), node, context);
    return {
      data: { node, revision: String(revision) },
      view: [
        plainText(`Node "${node}" runs on the snapshot, revision ${revision}.`),
        nextCommands([['plinth etcd members', 'who is in it']]),
      ],
    };
  },
});
