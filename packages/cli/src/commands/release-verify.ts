import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';
import { plainText, table } from '../output/blocks.ts';

export const releaseVerifyCommand = defineCommand({
  path: ['release', 'verify'],
  summary: 'Look at a repository as a node would',
  details: ['Ends with 1 unless a node would believe all of it.'],
  examples: [
    { run: 'plinth release verify repo', what: 'a folder, every file' },
    { run: 'plinth release verify https://updates.example/plinth', what: 'what a server sends' },
  ],
  options: {
    channel: text('NAME', 'Channel; default: all of a folder, stable of an address'),
    root: text('FILE', 'Root to believe (N.root.json); default: that of your keys'),
    quick: flag('Only what a node reads to decide, no release files'),
    keys: keyOptions.keys,
  },
  args: { repo: required('REPO|URL', 'Folder of the repository, or its address') },
  run: async ({ args, options }, context) => {
    const { verifyRepository } = await import('../release/verify-repository.ts');
    const checks = await verifyRepository(args.repo, options, context);
    const failed = checks.filter(({ verdict }) => verdict === 'fail').length;
    return {
      data: checks,
      view: [
        table(
          [
            { header: 'NAME', value: (check) => check.subject },
            {
              header: 'VERDICT',
              value: (check) => check.verdict,
              mark: (check, style) => (check.verdict === 'pass' ? style.good : style.bad),
            },
            { header: 'FOUND', value: (check) => check.detail },
          ],
          checks,
        ),
        plainText(
          failed === 0
            ? 'A node would believe all of it.'
            : `A node would refuse ${failed} of ${checks.length}.`,
        ),
      ],
      exitCode: failed === 0 ? 0 : 1,
    };
  },
});
