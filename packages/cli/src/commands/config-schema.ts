import { defineCommand } from '../framework/command.ts';
import { plainText } from '../output/blocks.ts';

export const configSchemaCommand = defineCommand({
  path: ['config', 'schema'],
  summary: 'Print the JSON Schema of the machine config, for editors',
  details: [
    'Begin a file with "# yaml-language-server: $schema=plinth.schema.json" and an editor',
    'with a YAML language server checks and completes it.',
  ],
  examples: [
    { run: 'plinth config schema > plinth.schema.json', what: 'beside your configs' },
    { run: 'plinth config schema -o yaml', what: 'to read it' },
  ],
  options: {},
  args: {},
  run: async () => {
    const { configJsonSchema } = await import('@plinth/config');
    const schema = configJsonSchema();
    return { data: schema, view: [plainText(JSON.stringify(schema, null, 2))] };
  },
});
