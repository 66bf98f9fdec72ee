import { defineCommand } from '../framework/command.ts';
import { optional } from '../framework/options.ts';

export const configExplainCommand = defineCommand({
  path: ['config', 'explain'],
  summary: 'Explain a key of the machine config, or list all kinds',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth config explain', what: 'the kinds of documents' },
    { run: 'plinth config explain Network', what: 'the fields of one, and an example' },
    { run: 'plinth config explain network.bonds.mode', what: 'one field' },
  ],
  options: {},
  args: { key: optional('KEY', 'A kind, or a key as it stands in a plan or an error') },
  run: async ({ args: { key } }) => {
    const { explainConfig } = await import('../config/explain-config.ts');
    return explainConfig(key);
  },
});
