import { defineCommand } from '../framework/command.ts';
import { repositoryArgument, ruleOptions, versionArgument } from '../release/repository-options.ts';

export const releaseDeadEndCommand = defineCommand({
  path: ['release', 'dead-end'],
  summary: 'Say that no update leads on from a version',
  details: ['Nodes that run it say so; nobody else takes it.'],
  examples: [
    {
      run: 'plinth release dead-end repo 0.2.0 --reason "takes no new entry"',
      what: 'such nodes are installed anew',
    },
    { run: 'plinth release dead-end repo 0.2.0 --undo', what: 'take it back' },
  ],
  options: ruleOptions,
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options }, context) => {
    const { changePublishedRule } = await import('../release/change-rule.ts');
    return changePublishedRule(repo, { rule: 'dead-end', version }, options, context);
  },
});
