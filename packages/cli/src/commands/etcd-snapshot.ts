import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export const etcdSnapshotCommand = defineCommand({
  path: ['etcd', 'snapshot'],
  summary: 'Save the whole database of the cluster to a file',
  details: ['It holds every secret of the cluster, so only its owner may read the file.'],
  examples: [
    { run: 'plinth etcd snapshot before.db', what: 'from the current node' },
    { run: 'plinth etcd snapshot a.db --context cp2', what: 'from another control plane' },
  ],
  options: { context: nodeOptions.context },
  args: { file: required('FILE', 'A file that does not exist yet') },
  run: async ({ args, options }, context) => {
    const { saveSnapshot } = await import('../flows/etcd-files.ts');
    const { meantNode } = await import('../flows/node-acts.ts');
    const node = await meantNode(options.context, context);
    const path = resolve(args.file);
    const sizeBytes = await saveSnapshot(node, path, context);
    return {
      data: { node, path, sizeBytes },
      names: [path],
      view: [plainText(`${path}: ${formatBytes(sizeBytes)}.`)],
    };
  },
});
