import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { maybeInteger, textOr } from '../framework/options.ts';
import { repositoryArgument } from '../release/repository-options.ts';

export const releaseServeCommand = defineCommand({
  path: ['release', 'serve'],
  summary: 'Serve a repository over HTTP until Ctrl-C',
  details: ['For a laptop: what it sends is signed, so the transport need not be.'],
  streams: true,
  examples: [
    { run: 'plinth release serve repo', what: 'to this computer, on a free port' },
    { run: 'plinth release serve repo --address 0.0.0.0 --port 8080', what: 'to the network' },
  ],
  options: {
    address: textOr('ADDRESS', '127.0.0.1', 'Where to listen'),
    port: maybeInteger('PORT', { min: 1, max: 65_535 }, 'Port; default: one that is free'),
  },
  args: { repo: repositoryArgument },
  run: async ({ args, options }, context) => {
    const { serveUntilInterrupted } = await import('../flows/serve-until-interrupted.ts');
    const { serveReleases } = await import('../release/serve-releases.ts');
    const repoDir = resolve(args.repo);
    await serveUntilInterrupted(repoDir, options, context, (how) => serveReleases(repoDir, how));
    return undefined;
  },
});
