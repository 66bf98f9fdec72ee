import { defineCommand } from '../framework/command.ts';
import { rest } from '../framework/options.ts';

export const kubectlCommand = defineCommand({
  path: ['kubectl'],
  summary: 'Run kubectl of the local cluster; nothing has to be installed',
  details: [
    'The kubectl that was compiled for the nodes. All words after "kubectl" are its own,',
    'and so is the exit code. $PLINTH_CLUSTER names another local cluster.',
  ],
  passesWords: true,
  examples: [
    { run: 'plinth kubectl get pods -A -o wide', what: 'every pod' },
    { run: 'plinth kubectl logs -f deploy/web', what: 'follow a log' },
  ],
  options: {},
  args: { words: rest('WORDS', 'What kubectl is told') },
  run: async ({ args: { words } }, context) => {
    const { runKubectl } = await import('../flows/run-kubectl.ts');
    return { data: undefined, view: [], passedExitCode: await runKubectl(words, context) };
  },
});
