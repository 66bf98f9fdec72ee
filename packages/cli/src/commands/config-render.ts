import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const configRenderCommand = defineCommand({
  path: ['config', 'render'],
  summary: 'Print the files a node makes of a machine config',
  details: ['Nothing is contacted. Files with secrets are named, but not shown.'],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth config render node-1.yaml', what: 'every file with its text' },
    { run: 'plinth config render node-1.yaml -o name', what: 'their paths' },
  ],
  options: {},
  args: { file: required('FILE', 'A machine config') },
  run: async ({ args: { file } }) => {
    const { renderConfig } = await import('@plinth/config');
    const { readConfig } = await import('../config/read-config.ts');
    const files = renderConfig(await readConfig(file)).map(({ path, mode, text, secret }) => ({
      path,
      mode: `0${mode.toString(8)}`,
      secret,
      ...(secret ? {} : { text }),
    }));
    return {
      data: files,
      names: files.map(({ path }) => path),
      view: files.map(({ path, mode, text }) => plainText(`# ${path} ${mode}\n${text ?? '(secret)\n'}`)),
    };
  },
});
