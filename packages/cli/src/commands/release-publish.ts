import { trustOption } from '../flows/trust-option.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts, nextCommands } from '../output/blocks.ts';
import { publishedFiles } from '../release/published-files.ts';
import { channelOption, signingOptions } from '../release/repository-options.ts';

export const releasePublishCommand = defineCommand({
  path: ['release', 'publish'],
  summary: 'Verify a release and offer it to nodes in a channel',
  details: ['Repositories are folders for any web server; a registry gets an artefact.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth release publish out/plinth_0.1.0 --to repo', what: 'to channel stable' },
    { run: 'plinth release publish DIR --to oci://registry.example/plinth', what: 'to a registry' },
  ],
  options: {
    to: text('REPO|OCI', 'Repository, made if needed; or oci://HOST/NAME[:TAG]'),
    channel: channelOption,
    notes: text('TEXT', 'What is new, for people'),
    security: flag('It closes holes that the versions before have'),
    kubernetes: text('LIST', 'Minor versions it is for: 1.36,1.37; default: any'),
    ...trustOption,
    ...signingOptions,
  },
  args: { release: required('RELEASE', 'Folder of the release') },
  run: async ({ args, options }, context) => {
    const { to, channel } = options;
    if (to === undefined) throw usageError('--to is missing, expected the repository to publish to');
    const { isOciReference } = await import('@plinth/publish');
    if (isOciReference(to)) {
      const { pushToRegistry } = await import('../release/push-to-registry.ts');
      return pushToRegistry(args.release, { ...options, to }, context);
    }
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
        publishedFiles(published.files),
        facts([
          ['version', published.version],
          ['channel', channel],
          ['repository', to],
          ['new files', `${fresh.length} of ${published.files.length}`],
        ]),
        nextCommands([
          [`plinth release show ${to}`, 'what nodes are offered'],
          [`plinth release serve ${to}`, 'to nodes that reach this computer'],
          [`plinth release refresh ${to}`, 'by a timer, more than once a day, or nodes stop believing it'],
        ]),
      ],
    };
  },
});
