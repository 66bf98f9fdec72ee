import { chooseContext } from '../client/choose-context.ts';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const configRemoveCommand = defineCommand({
  path: ['config', 'remove'],
  summary: 'Forget a node; its certificate and key files stay',
  examples: [
    { run: 'plinth config remove worker-1', what: 'forget it' },
    { run: 'plinth config remove local', what: '"plinth up" adds it again' },
  ],
  options: {},
  args: { name: required('NAME', 'One of "plinth config contexts"') },
  run: async ({ args: { name } }, { env }) => {
    await changeContexts(contextsPath(env), (file) => {
      chooseContext(file, name, {});
      const { [name]: _removed, ...contexts } = file.contexts;
      return file.current === name ? { contexts } : { ...file, contexts };
    });
    return { data: { removed: name }, view: [plainText(`Context "${name}" is forgotten.`)] };
  },
});
