import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, text, textOr } from '../framework/options.ts';

export const postureCommand = defineCommand({
  path: ['posture'],
  summary: 'Judge nodes by hardening profiles, with the facts behind each claim',
  details: [
    'Profiles: cis-os-1, cis-os-2, cis-kubernetes, nist-800-190, kernel-hardening;',
    'one that ends with .yaml is a file of your own. Nothing on the node changes.',
  ],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth posture --all-nodes --exit-code', what: 'a cluster, in a script' },
    { run: 'plinth posture --profile cis-os-2 --full -o wide', what: 'every claim with its source' },
  ],
  options: {
    profile: textOr('LIST', 'all', 'Profiles by name, or your files'),
    full: flag('Show every claim, not only what is open'),
    junit: text('FILE', 'Write the results as JUnit XML'),
    sign: text('FILE', 'Write them signed by the release key (DSSE)'),
    keys: keyOptions.keys,
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
    exitCode: flag('End with 3 when a claim fails or is unknown'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { showPosture } = await import('../posture/show-posture.ts');
    return showPosture(options, context);
  },
});
