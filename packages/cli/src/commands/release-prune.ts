import { defineCommand } from '../framework/command.ts';
import { integer } from '../framework/options.ts';
import { facts, nextCommands } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';
import { repositoryArgument, signingOptions } from '../release/repository-options.ts';

export const releasePruneCommand = defineCommand({
  path: ['release', 'prune'],
  summary: 'Take old releases out of a repository',
  details: [
    'Each channel keeps its newest ones and its barriers. Files stay for a week, for',
    'nodes that are fetching; a refresh after that takes them away.',
  ],
  examples: [
    { run: 'plinth release prune repo', what: 'all but the newest ten of each channel' },
    { run: 'plinth release prune repo --keep 30', what: 'keep more' },
  ],
  options: {
    keep: integer('NUMBER', { min: 1, max: 1000, fallback: 10 }, 'Releases that each channel keeps'),
    ...signingOptions,
  },
  args: { repo: repositoryArgument },
  run: async ({ args: { repo }, options }, context) => {
    const { pruneReleases } = await import('@plinth/publish');
    const { repositoryOptions } = await import('../release/repository-options.ts');
    const signing = await repositoryOptions(repo, options, context);
    const { versions, sizeBytes, channels } = await context.progress.step('Prune releases', () =>
      pruneReleases({ ...signing, keep: options.keep }),
    );
    return {
      data: { versions, sizeBytes, channels: channels.map(({ channel }) => channel) },
      view: [
        facts([
          ['Versions', versions.length > 0 ? versions.join(', ') : 'none, all are kept'],
          ['Room in a week', formatBytes(sizeBytes)],
        ]),
        nextCommands([[`plinth release show ${repo}`, 'what is offered now']]),
      ],
    };
  },
});
