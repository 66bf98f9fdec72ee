import { defineCommand } from '../framework/command.ts';
import { repositoryArgument, ruleOptions, versionArgument } from '../release/repository-options.ts';

export const releaseBarrierCommand = defineCommand({
  path: ['release', 'barrier'],
  summary: 'Let no update leap over a version',
  details: ['A node becomes healthy in it before it goes further, and does not go back behind it.'],
  examples: [
    {
      run: 'plinth release barrier repo 0.2.0 --reason "moves the data of /var"',
      what: 'every node passes through it',
    },
    { run: 'plinth release barrier repo 0.2.0 --undo', what: 'take it back' },
  ],
  options: ruleOptions,
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options }, context) => {
    const { changePublishedRule } = await import('../release/change-rule.ts');
    return changePublishedRule(repo, { rule: 'barrier', version }, options, context);
  },
});
