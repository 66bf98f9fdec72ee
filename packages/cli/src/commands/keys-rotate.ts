import type { KeyRole } from '@plinth/trust';
import { keyFolder, keyOptions, readPassphrase } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { requiredChoice, text } from '../framework/options.ts';
import { nextCommands, plainText } from '../output/blocks.ts';

/** Written out, because the help of every command is made without loading what it needs to run. */
const roles = [
  'platform-key',
  'key-exchange-key',
  'boot',
  'verity',
  'pcr',
  'release',
  'api-authority',
] as const satisfies readonly KeyRole[];

export const keysRotateCommand = defineCommand({
  path: ['keys', 'rotate'],
  summary: 'Put a new key into force; the old certificate stays trusted',
  details: [
    `Roles: ${roles.join(', ')}; of updates: "plinth release rotate-keys".`,
    'Machines boot releases of both keys until --drop ends the overlap.',
  ],
  examples: [
    { run: 'plinth keys rotate boot', what: 'sign from now on with a new key' },
    { run: 'plinth keys rotate boot --drop 8f3c91d2', what: 'forget that retired one' },
  ],
  options: {
    drop: text('FINGERPRINT', 'Delete this retired key instead; its start is enough'),
    ...keyOptions,
  },
  args: { role: requiredChoice('ROLE', roles, 'Which key') },
  run: async ({ args: { role }, options }, { env }) => {
    const { dropRetiredKey, rotateKey } = await import('@plinth/trust');
    const folder = keyFolder(options, env);
    if (options.drop !== undefined) {
      const ring = await dropRetiredKey(folder, options.drop);
      return { data: ring, view: [plainText(`Retired key ${options.drop} is deleted.`)] };
    }
    const ring = await rotateKey(folder, role, await readPassphrase(options, env));
    return {
      data: ring,
      view: [
        plainText(`A new ${role} key is in force.`),
        // Firmware knows the keys of images; nodes know the authority of callers from their machine config.
        nextCommands(
          role === 'api-authority'
            ? [
                ['plinth keys export certificates', 'both authorities, for ApiAccess of each node'],
                ['plinth access issue NAME', 'certificates of the new one, once the nodes have it'],
              ]
            : [
                ['plinth keys export DIR --as auth', 'enrol it in machines, before the next release'],
                ['plinth build', 'sign with it'],
              ],
        ),
      ],
    };
  },
});
