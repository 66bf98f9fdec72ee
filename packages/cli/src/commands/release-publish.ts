import { trustOption } from '../flows/trust-option.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts, nextCommands, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';
import { channelOption, signingOptions } from '../release/repository-options.ts';

export const releasePublishCommand = defineCommand({
  path: ['release', 'publish'],
  summary: 'Verify a release and offer it to nodes in a channel',
  details: ['The repository is a folder that any web server serves. Publishing twice is no change.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth release publish out/plinth_0.1.0 --to repo', what: 'to the nodes of channel stable' },
    { run: 'plinth release publish out/plinth_0.2.0~rc1 --to repo --channel candidate', what: 'to others' },
  ],
  options: {
    to: text('REPO', 'Folder of the repository; made when it is not there'),
    channel: channelOption,
    notes: text('TEXT', 'What is new, for people'),
    security: flag('It closes holes that the versions before have'),
    kubernetes: text('LIST', 'Minor versions that run on it, such as 1.36,1.37; default: any'),
    ...trustOption,
    ...signingOptions,
  },
  args: { release: required('RELEASE', 'Folder of the release') },
  run: async ({ args, options }, context) => {
    const { to, channel } = options;
    if (to === undefined) throw usageError('--to is missing, expected the repository to publish to');
    const { publishFolder } = await import('../release/publish-folder.ts');
    const about = {
      ...(options.notes !== undefined && { notes: options.notes }),
      ...(options.security && { security: true }),
      ...(options.kubernetes !== undefined && { kubernetes: options.kubernetes.split(',') }),
    };
    const published = await publishFolder(args.release, { ...options, to, about }, context);
    const fresh = published.files.filter(({ isNew }) => isNew);
    return {
      data: { repository: to, channel, version: published.version, files: published.files },
      names: published.files.map(({ name }) => name),
      view: [
        table(
          [
            { header: 'NAME', value: (file) => file.name },
            { header: 'SIZE', value: (file) => formatBytes(file.sizeBytes), align: 'right' },
            { header: 'STATE', value: (file) => (file.isNew ? 'new' : 'was there') },
          ],
          published.files,
        ),
        facts([
          ['version', published.version],
          ['channel', channel],
          ['repository', to],
          ['new files', `${fresh.length} of ${published.files.length}`],
        ]),
        nextCommands([
          [`plinth release show ${to}`, 'what nodes are offered'],
          [`plinth release serve ${to}`, 'to nodes that reach this computer'],
          [`plinth release refresh ${to}`, 'once a day, or nodes stop believing it'],
        ]),
      ],
    };
  },
});
