import { keyFolder, keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { table } from '../output/blocks.ts';
import { shortenHash } from '../output/units.ts';

export const keysListCommand = defineCommand({
  path: ['keys', 'list'],
  summary: 'List the keys: images, clients, updates; in force and retired',
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth keys list', what: 'role, state, fingerprint, date' },
    { run: 'plinth keys list -o wide', what: 'with whole fingerprints' },
  ],
  options: { keys: keyOptions.keys },
  args: {},
  run: async ({ options }, { env }) => {
    const { listKeys } = await import('../flows/list-keys.ts');
    const rows = await listKeys(keyFolder(options, env));
    return {
      data: rows,
      view: [
        table(
          [
            { header: 'NAME', value: (key) => key.role },
            { header: 'STATE', value: (key) => key.state },
            { header: 'FINGERPRINT', value: (key) => shortenHash(key.fingerprint) },
            { header: 'SHA256', value: (key) => key.fingerprint, wide: true },
            { header: 'MADE', value: (key) => key.created.slice(0, 10) },
          ],
          rows,
        ),
      ],
    };
  },
});
