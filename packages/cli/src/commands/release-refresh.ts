import { defineCommand } from '../framework/command.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { repositoryArgument, signingOptions } from '../release/repository-options.ts';

export const releaseRefreshCommand = defineCommand({
  path: ['release', 'refresh'],
  summary: 'Sign a repository anew, so that nodes go on believing it',
  details: ['For a timer. Needs the timestamp key, and others only when theirs ends soon or was rotated.'],
  examples: [
    { run: 'plinth release refresh repo', what: 'for another day' },
    { run: 'plinth release refresh repo --valid 7d', what: 'where the timer runs once a week' },
  ],
  options: signingOptions,
  args: { repo: repositoryArgument },
  run: async ({ args: { repo }, options }, context) => {
    const { refreshRepository } = await import('@plinth/publish');
    const { expiryTable } = await import('../release/expiry-table.ts');
    const { repositoryOptions } = await import('../release/repository-options.ts');
    const signing = await repositoryOptions(repo, options, context);
    const { renewal, hasView, expiries, rootEndsSoon } = await context.progress.step('Sign', () =>
      refreshRepository(signing),
    );
    for (const role of renewal.postponed)
      context.progress.warn(
        `${role} ends soon or has ended, and its keys are not here: refresh once with them`,
      );
    if (rootEndsSoon)
      context.progress.warn('root ends soon or has ended: run "plinth release rotate-keys root"');
    if (!hasView) context.progress.warn('the lists for systemd-sysupdate stay: their key is not here');
    return {
      data: { ...renewal, hasView, rootEndsSoon, expiries },
      view: [
        plainText(`Signed: ${renewal.written.join(', ')}.`),
        expiryTable(expiries),
        nextCommands([[`plinth release verify ${repo}`, 'look at it as a node would']]),
      ],
    };
  },
});
