import { defineCommand } from '../framework/command.ts';
import { textOr } from '../framework/options.ts';
import { nextCommands } from '../output/blocks.ts';
import { repositoryArgument, signingOptions, versionArgument } from '../release/repository-options.ts';

export const releasePromoteCommand = defineCommand({
  path: ['release', 'promote'],
  summary: 'Offer a version of one channel in another too',
  details: ['The same files: what nodes of the first channel tried is what the others get.'],
  examples: [
    { run: 'plinth release promote repo 0.2.0', what: 'from candidate to stable' },
    { run: 'plinth release promote repo 0.2.0 --from stable --to edge', what: 'between others' },
  ],
  options: {
    from: textOr('NAME', 'candidate', 'Channel that offers it'),
    to: textOr('NAME', 'stable', 'Channel that is to offer it'),
    ...signingOptions,
  },
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options }, context) => {
    const { promote } = await import('@plinth/publish');
    const { channelBlocks } = await import('../release/channel-view.ts');
    const { repositoryOptions } = await import('../release/repository-options.ts');
    const signing = await repositoryOptions(repo, options, context);
    const channel = await context.progress.step(`Promote ${version} to ${options.to}`, () =>
      promote(signing, version, options),
    );
    return {
      data: channel,
      view: [...channelBlocks([channel]), nextCommands([[`plinth release show ${repo}`, 'all channels']])],
    };
  },
});
