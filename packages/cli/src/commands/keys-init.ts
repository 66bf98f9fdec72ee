import { keyFolder, keyOptions, readPassphrase } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const keysInitCommand = defineCommand({
  path: ['keys', 'init'],
  summary: 'Make the keys that sign images and vouch for clients',
  details: ['Seven keys, one purpose each. Existing keys are never touched.'],
  examples: [
    { run: 'plinth keys init', what: 'for development; "plinth up" does it too' },
    { run: 'plinth keys init --passphrase-file p --name Acme', what: 'encrypted' },
  ],
  options: { ...keyOptions, name: text('NAME', 'Organisation in every certificate') },
  args: {},
  run: async ({ options }, { env, progress }) => {
    const { initKeys } = await import('@plinth/trust');
    const folder = keyFolder(options, env);
    const secret = await readPassphrase(options, env);
    const organisation = options.name === undefined ? {} : { organisation: options.name };
    const ring = await progress.step('Make keys', () => initKeys(folder, { ...secret, ...organisation }));
    return {
      data: { folder, ...ring },
      view: [
        plainText(
          `Made ${ring.keys.length} keys in ${folder}. Keep a copy: without them no update can be signed.`,
        ),
        nextCommands([
          ['plinth keys list', 'see them'],
          ['plinth up', 'build an image signed with them and boot it'],
        ]),
      ],
    };
  },
});
