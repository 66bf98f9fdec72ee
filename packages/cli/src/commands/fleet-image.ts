import { defineCommand } from '../framework/command.ts';
import { flag, short, text, textOr } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';

export const fleetImageCommand = defineCommand({
  path: ['fleet', 'image'],
  summary: 'Build the container image of the fleet operator',
  details: ['Node, its libraries from the lock of the OS, and the operator; an OCI archive.'],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth fleet image --output fleet.tar', what: 'as plinth.local/fleet:dev' },
    { run: 'plinth fleet image -O f.tar --reference registry.example/fleet:1', what: 'named' },
  ],
  options: {
    output: short('O', text('FILE', 'Archive to write')),
    reference: textOr('REF', 'plinth.local/fleet:dev', 'What pods call it'),
    frozen: flag('Take the committed lock or fail'),
  },
  args: {},
  run: async ({ options: { output, ...options } }, context) => {
    if (output === undefined) throw usageError('--output is missing, expected the file to write');
    const { buildOperatorImage } = await import('../fleet/build-operator-image.ts');
    return buildOperatorImage({ output, ...options }, context);
  },
});
