import type { UpdateRole } from '@plinth/trust';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { requiredChoice, text } from '../framework/options.ts';
import { facts, nextCommands } from '../output/blocks.ts';

/** Written out, because the help of every command is made without loading what it needs to run. */
const roles = ['root', 'targets', 'images', 'snapshot', 'timestamp'] as const satisfies readonly UpdateRole[];

export const releaseRotateKeysCommand = defineCommand({
  path: ['release', 'rotate-keys'],
  summary: 'Put a new update key into force, in the place of an old or lost one',
  details: [
    'The root keys of before sign the root that names the new key, so every node follows.',
    'Repositories learn of it with the next "plinth release refresh" or "publish".',
    'Root keys on other media are found in the folders of $PLINTH_UPDATE_KEYS (a:b).',
  ],
  examples: [
    { run: 'plinth release rotate-keys timestamp', what: 'every month' },
    { run: 'plinth release rotate-keys root --replace 3f0c', what: 'a root key that was stolen' },
  ],
  options: {
    replace: text('KEY-ID', 'Key that goes, or its start; default: one that is lost, else the oldest'),
    ...keyOptions,
  },
  args: { role: requiredChoice('ROLE', roles, 'Whose key') },
  run: async ({ args: { role }, options }, { env, progress }) => {
    const { rotateUpdateKey } = await import('@plinth/publish');
    const { keyFolder, readPassphrase } = await import('../flows/key-folder.ts');
    const { moreKeyFolders } = await import('../release/repository-options.ts');
    const secret = await readPassphrase(options, env);
    const { replace } = options;
    const { fresh, retired, ring } = await progress.step(`Rotate the ${role} key`, () =>
      rotateUpdateKey(keyFolder(options, env), role, {
        moreFolders: moreKeyFolders(env),
        ...secret,
        ...(replace !== undefined && { replace }),
      }),
    );
    return {
      data: { role, rootVersion: ring.rootVersion, fresh, retired },
      view: [
        facts([
          ['in force', fresh.keyId],
          ['retired', retired.keyId],
          ['root', `version ${ring.rootVersion}`],
        ]),
        nextCommands([
          ['plinth release refresh REPO', 'tell each repository, and so the nodes'],
          ['plinth build', 'images made from now on begin with the new root'],
        ]),
      ],
    };
  },
});
