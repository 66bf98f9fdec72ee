import { defineCommand } from '../framework/command.ts';
import { flag, text } from '../framework/options.ts';
import { plainText, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export const testCommand = defineCommand({
  path: ['test'],
  summary: 'Run all tests: types, lint, units, tools, boots of the image',
  details: [
    'Stops at the first group that fails. Without KVM a boot takes minutes, and the',
    'tests of a cluster and of faults in updates, which run only when they are asked',
    'for, half an hour each.',
  ],
  examples: [
    { run: 'plinth test', what: 'everything; what CI runs' },
    { run: 'plinth test --quick', what: 'everything but the image and its boots' },
    { run: 'plinth test --boot --only healthy', what: 'one file of a group' },
  ],
  options: {
    unit: flag('Only types, lint and tests of pure code'),
    tools: flag('Only tests against real tools in the toolbox'),
    boot: flag('Only build the image and boot it, whole and tampered with'),
    cluster: flag('Only a cluster of machines; not part of the rest'),
    update: flag('Only faults while a machine updates itself; not part of the rest'),
    outsiders: flag('Only suites of others, compiled for it; not part of the rest'),
    quick: flag('All but --boot'),
    only: text('WORD', 'Only test files whose path holds this; no types, no lint'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { runTests } = await import('../flows/run-tests.ts');
    const results = await runTests(options, context);
    const failed = results.find(({ outcome }) => outcome === 'failed');
    return {
      data: results,
      view: [
        table(
          [
            { header: 'NAME', value: (group) => group.name },
            {
              header: 'OUTCOME',
              value: (group) => group.outcome,
              mark: (group, style) =>
                group.outcome === 'passed'
                  ? style.good
                  : group.outcome === 'failed'
                    ? style.bad
                    : style.faint,
            },
            {
              header: 'TIME',
              value: (group) => (group.outcome === 'not run' ? '' : formatDuration(group.durationMs)),
              align: 'right',
            },
            { header: 'WHAT', value: (group) => group.what },
          ],
          results,
        ),
        plainText(failed ? `Failed: ${failed.name}. Alone: ${failed.alone}` : 'All tests passed.'),
      ],
      exitCode: failed ? 1 : 0,
    };
  },
});
