import { completionScript, shells } from '../completion/completion-script.ts';
import { defineCommand } from '../framework/command.ts';
import { requiredChoice } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const completionCommand = defineCommand({
  path: ['completion'],
  summary: 'Print a completion script for a shell',
  examples: [
    { run: 'source <(plinth completion bash)', what: 'for this session' },
    {
      run: 'plinth completion fish > ~/.config/fish/completions/plinth.fish',
      what: 'for every session of fish',
    },
  ],
  options: {},
  args: { shell: requiredChoice('SHELL', shells, 'bash, zsh or fish') },
  run: async ({ args }) => {
    // Imported here because the table holds this very command.
    const { commandTable } = await import('./index.ts');
    const script = completionScript(args.shell, commandTable);
    return { data: { shell: args.shell, script }, view: [plainText(script)] };
  },
});
