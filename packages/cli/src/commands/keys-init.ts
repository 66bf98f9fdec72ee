import { keyFolder, keyOptions, readPassphrase } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { text } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

export const keysInitCommand = defineCommand({
  path: ['keys', 'init'],
  summary: 'Make the keys that sign images and updates and vouch for clients',
  details: ['One purpose each. Existing keys are never touched; a folder that lacks some gets them.'],
  examples: [
    { run: 'plinth keys init', what: 'for development; "plinth up" does it too' },
    { run: 'plinth keys init --passphrase-file p --name Acme', what: 'encrypted' },
    { run: 'plinth keys init --quorum root=3/5,targets=2/3', what: 'updates need more signatures' },
  ],
  options: {
    ...keyOptions,
    name: text('NAME', 'Organisation in every certificate'),
    quorum: text('LIST', 'Signatures and keys of update roles; default: root=2/3, others 1/1'),
  },
  args: {},
  run: async ({ options }, { env, progress }) => {
    const { makeKeys, readQuorum } = await import('../flows/make-keys.ts');
    const folder = keyFolder(options, env);
    const secret = await readPassphrase(options, env);
    const organisation = options.name === undefined ? {} : { organisation: options.name };
    const sizes = readQuorum(options.quorum);
    const made = await progress.step('Make keys', () =>
      makeKeys(folder, { ...secret, ...organisation }, sizes),
    );
    const what = made.isNew
      ? `${made.imageKeys} keys and ${made.updateKeys} update keys`
      : made.added.join(' and ');
    return {
      data: made,
      view: [
        plainText(`Made ${what} in ${folder}. Keep a copy: without them no update can be signed.`),
        nextCommands([
          ['plinth keys list', 'see them'],
          ['plinth up', 'build an image signed with them and boot it'],
        ]),
      ],
    };
  },
});
