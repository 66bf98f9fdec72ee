import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { optional, textOr } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const vmScreenshotCommand = defineCommand({
  path: ['vm', 'screenshot'],
  summary: "Write what a machine's screen shows to a PNG file",
  examples: [
    { run: 'plinth vm screenshot', what: 'writes screenshot.png' },
    { run: 'plinth vm screenshot node-2 --output boot.png', what: 'another machine, another file' },
  ],
  options: { output: textOr('FILE', 'screenshot.png', 'Where to write') },
  args: { name: optional('NAME', 'Name of the machine (default: local)') },
  run: async ({ args: { name = 'local' }, options }) => {
    const { screenshotMachine } = await import('@plinth/local');
    const path = resolve(options.output);
    await screenshotMachine(name, path);
    return { data: { name, path }, view: [plainText(`Wrote ${path}`)] };
  },
});
