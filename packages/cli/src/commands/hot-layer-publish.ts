import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts } from '../output/blocks.ts';
import { signingOptions } from '../release/repository-options.ts';

export const hotLayerPublishCommand = defineCommand({
  path: ['hot-layer', 'publish'],
  summary: 'Offer a hot layer to the nodes of its base in a repository',
  details: ['Nodes take the highest serial of what they run; nothing published is replaced.'],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth hot-layer publish out/hot-layer_1.4.2-1_x86-64.sysext.raw --to repo', what: 'once' },
    { run: 'plinth hot-layer publish L.sysext.raw --to repo --valid 12h', what: 'believed for 12 hours' },
  ],
  options: { to: text('REPO', 'Folder of the repository'), ...signingOptions },
  args: { layer: required('LAYER', 'File of the layer, its manifest beside it') },
  run: async ({ args, options }, context) => {
    const { to } = options;
    if (to === undefined) throw usageError('--to is missing, expected the repository to publish to');
    const { publishHotLayer } = await import('@plinth/publish');
    const { repositoryOptions } = await import('../release/repository-options.ts');
    const signing = await repositoryOptions(to, options, context);
    const { layer, files } = await context.progress.step('Publish', () =>
      publishHotLayer({ ...signing, imagePath: resolve(args.layer) }),
    );
    return {
      data: { repository: to, serial: layer.serial, base: layer.base, files },
      names: files.map(({ name }) => name),
      view: [
        facts([
          ['serial', String(layer.serial)],
          ['base', `${layer.base.name} ${layer.base.version}`],
          ['repository', to],
          ['new files', `${files.filter(({ isNew }) => isNew).length} of ${files.length}`],
        ]),
      ],
    };
  },
});
