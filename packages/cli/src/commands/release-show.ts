import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';
import { repositoryArgument } from '../release/repository-options.ts';

export const releaseShowCommand = defineCommand({
  path: ['release', 'show'],
  summary: 'Show what a repository offers, forbids, and when its metadata end',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth release show repo', what: 'all channels' },
    { run: 'plinth release show repo --channel candidate -o wide', what: 'one, with its notes' },
  ],
  options: { channel: text('NAME', 'Channel; default: all') },
  args: { repo: repositoryArgument },
  run: async ({ args, options }) => {
    const { readPublished } = await import('../release/read-published.ts');
    const { channelBlocks } = await import('../release/channel-view.ts');
    const { expiryTable } = await import('../release/expiry-table.ts');
    const published = await readPublished(args.repo, options.channel);
    return {
      data: published,
      names: published.channels.flatMap(({ releases }) => releases.map(({ version }) => version)),
      view: [...channelBlocks(published.channels, published.deadlines), expiryTable(published.expiries)],
    };
  },
});
