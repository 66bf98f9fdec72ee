import { defineCommand } from '../framework/command.ts';
import { flag, text } from '../framework/options.ts';
import { plainText, table } from '../output/blocks.ts';

export const lockCommand = defineCommand({
  path: ['lock'],
  summary: 'Pin the packages of the image and of the toolbox',
  details: [
    'Without options: makes what is missing or stale, keeps the rest.',
    'Mirrors come from the options, $PLINTH_MIRROR and $PLINTH_SECURITY_MIRROR, or apt.',
  ],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth lock', what: 'after a change of os/plinth.yaml' },
    { run: 'plinth lock --update', what: 'move to what the mirror has today' },
    { run: 'plinth lock --frozen', what: 'in CI: fail unless all is pinned' },
  ],
  options: {
    update: flag('Choose all versions anew'),
    frozen: flag('Change nothing; fail when a lock is missing or stale'),
    mirror: text('URL', 'Debian mirror'),
    securityMirror: text('URL', 'Debian security mirror'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { settleLocks } = await import('../flows/settle-locks.ts');
    const outcomes = await settleLocks(options, context);
    const changes = outcomes.flatMap(({ changes: list }) => list);
    return {
      data: {
        locks: outcomes.map(({ name, action, path, packageCount }) => ({ name, action, path, packageCount })),
        changes,
      },
      view: [
        table(
          [
            { header: 'NAME', value: (row) => row.name },
            { header: 'LOCK', value: (row) => row.lock },
            { header: 'CHANGE', value: (row) => row.change },
            { header: 'FROM', value: (row) => row.from ?? '' },
            { header: 'TO', value: (row) => row.to ?? '' },
            { header: 'WHY', value: (row) => row.why, wide: true },
          ],
          changes,
          'No package changed.',
        ),
        plainText(
          outcomes
            .map(({ name, action, packageCount }) => `${name}: ${packageCount} packages, ${action}`)
            .join('\n'),
        ),
      ],
    };
  },
});
