import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const configMigrateCommand = defineCommand({
  path: ['config', 'migrate'],
  summary: 'Print a machine config in the form of today',
  details: [
    'What it means stays; comments and defaults are left out. The file is not changed.',
    'The result holds the secrets of the config.',
  ],
  examples: [
    { run: 'plinth config migrate old.yaml > node-1.yaml', what: 'a config of an older release' },
    { run: 'plinth config migrate node-1.yaml', what: 'the one canonical form of any config' },
  ],
  options: {},
  args: { file: required('FILE', 'A machine config of any form that is still read') },
  run: async ({ args: { file } }) => {
    const { migrateConfig } = await import('@plinth/config');
    const { configRefused, readConfigBytes } = await import('../config/read-config.ts');
    const migrated = migrateConfig(await readConfigBytes(file), file);
    if (!migrated.ok) throw configRefused(file, migrated.diagnostics);
    return { data: { text: migrated.value }, view: [plainText(migrated.value)] };
  },
});
