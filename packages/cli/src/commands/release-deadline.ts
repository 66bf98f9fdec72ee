import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';
import { repositoryArgument, ruleOptions, versionArgument } from '../release/repository-options.ts';

export const releaseDeadlineCommand = defineCommand({
  path: ['release', 'deadline'],
  summary: 'Say by when nodes should have a version',
  details: [
    'Fleets whose PlinthRelease names the channel go faster for it, inside their bounds.',
    'It brings a deadline nearer, never further away; "release promote" leaves it behind.',
  ],
  examples: [
    {
      run: 'plinth release deadline repo 0.2.0 --by 2026-12-01 --reason CVE-2026-1',
      what: 'until that day begins, in UTC',
    },
    { run: 'plinth release deadline repo 0.2.0 --undo', what: 'take it back' },
  ],
  options: { by: text('DATE', 'Day, or moment such as 2026-12-01T08:00:00Z'), ...ruleOptions },
  args: { repo: repositoryArgument, version: versionArgument },
  run: async ({ args: { repo, version }, options }, context) => {
    const { changeDeadline } = await import('../release/change-deadline.ts');
    return changeDeadline(repo, version, options, context);
  },
});
