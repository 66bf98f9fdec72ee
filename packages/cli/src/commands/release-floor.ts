import { defineCommand } from '../framework/command.ts';
import { repositoryArgument, ruleOptions, versionArgument } from '../release/repository-options.ts';

const { undo: _, ...options } = ruleOptions;

export const releaseFloorCommand = defineCommand({
  path: ['release', 'floor'],
  summary: 'Set the oldest version that nodes may go back to',
  details: ['It only ever rises: versions below it have holes that are known.'],
  examples: [
    { run: 'plinth release floor repo 0.2.0 --reason "closes CVE-2026-1"', what: 'of channel stable' },
    { run: 'plinth release floor repo 0.2.0 --channel candidate --reason "the same"', what: 'of another' },
  ],
  options,
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options: given }, context) => {
    const { changePublishedRule } = await import('../release/change-rule.ts');
    return changePublishedRule(repo, { rule: 'floor', version }, { ...given, undo: false }, context);
  },
});
