import { defineCommand } from '../framework/command.ts';
import { repositoryArgument, ruleOptions, versionArgument } from '../release/repository-options.ts';

export const releaseBlockCommand = defineCommand({
  path: ['release', 'block'],
  summary: 'Let no node take a version any more',
  details: ['Nodes that run it are offered what is newer; it is not taken from them.'],
  examples: [
    {
      run: 'plinth release block repo 0.2.0 --reason "loses its network on some cards"',
      what: 'say why: nodes show it',
    },
    { run: 'plinth release block repo 0.2.0 --undo', what: 'take it back' },
  ],
  options: ruleOptions,
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options }, context) => {
    const { changePublishedRule } = await import('../release/change-rule.ts');
    return changePublishedRule(repo, { rule: 'block', version }, options, context);
  },
});
