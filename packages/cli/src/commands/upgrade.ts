import { upgradeOptions } from '../client/update-options.ts';
import { defineCommand } from '../framework/command.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';

export const upgradeCommand = defineCommand({
  path: ['upgrade'],
  summary: 'Bring a node to another version of its system',
  details: [
    'It stages, reboots, and waits until the version has proven itself; one that does not is',
    'taken back by the node. Ctrl-C detaches: the node goes on, and the same command follows it.',
  ],
  examples: [
    { run: 'plinth upgrade --to 1.4.2 --drain', what: 'a member of a cluster, pods first' },
    { run: 'plinth upgrade --stage-only', what: 'what its channel offers; nothing reboots' },
    { run: 'plinth upgrade --check', what: 'only ask what there is' },
  ],
  options: upgradeOptions,
  args: {},
  run: async ({ options }, context) => {
    const { upgradeNodes, withNode } = await import('../flows/upgrade-node.ts');
    const { showChoice, showUpgraded } = await import('../client/show-update.ts');
    const { check, cancel, unblock } = options;
    if ([check, cancel, unblock !== undefined].filter(Boolean).length > 1)
      throw usageError('--check, --cancel and --unblock exclude each other, expected one of them');
    if (check) return showChoice(await withNode(options, context, (node) => node.update.check()));
    if (cancel) {
      const version = await withNode(options, context, (node) => node.update.cancel());
      const text = version === '' ? 'There was nothing to take back.' : `${version} is not staged any more.`;
      return { data: { version }, view: [plainText(text)] };
    }
    if (unblock !== undefined) {
      await withNode(options, context, (node) => node.update.unblock(unblock));
      return { data: { version: unblock }, view: [plainText(`${unblock} is not blocked any more.`)] };
    }
    return showUpgraded(await upgradeNodes(options, context));
  },
});
