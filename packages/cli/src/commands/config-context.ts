import { chooseContext } from '../client/choose-context.ts';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const configContextCommand = defineCommand({
  path: ['config', 'context'],
  summary: 'Choose the node that commands mean by default',
  examples: [
    { run: 'plinth config context local', what: 'the machine of "plinth up"' },
    { run: 'plinth config context worker-1', what: 'another node' },
  ],
  options: {},
  args: { name: required('NAME', 'One of "plinth config contexts"') },
  run: async ({ args: { name } }, { env }) => {
    await changeContexts(contextsPath(env), (file) => {
      chooseContext(file, name, {});
      return { ...file, current: name };
    });
    return { data: { current: name }, view: [plainText(`Context "${name}" is current.`)] };
  },
});
