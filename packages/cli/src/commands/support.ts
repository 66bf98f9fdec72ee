import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, integer, optional, text } from '../framework/options.ts';

export const supportCommand = defineCommand({
  path: ['support'],
  summary: 'Write what explains a node to one encrypted file, without secrets',
  details: [
    'What it will hold is listed first. A part that fails or is late is named in it.',
    'Your certificate asks: a reader gets less than an admin. Look into a plain one',
    'before you trust what was taken out.',
  ],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth support --recipient age1…', what: 'of the current node, for that key' },
    { run: 'plinth support mine.tar.gz --no-encrypt', what: 'to look into it yourself' },
  ],
  options: {
    recipient: text('KEYS', 'Public keys of age that may open it; with commas'),
    recipientsFile: text('FILE', 'The same from a file, one a line'),
    noEncrypt: flag('Write a plain archive'),
    journalLines: integer('LINES', { min: 100, max: 100_000, fallback: 5000 }, "Of this boot's journal"),
    context: nodeOptions.context,
    timeout: integer('SECONDS', { min: 1, max: 60, fallback: 30 }, 'Bound on each answer'),
  },
  args: { file: optional('FILE', 'A file that does not exist yet') },
  run: async ({ args, options }, context) => {
    const { writeSupportBundle } = await import('../flows/write-support-bundle.ts');
    const { showBundle } = await import('../client/show-bundle.ts');
    return showBundle(
      await writeSupportBundle(
        {
          ...{ file: args.file, recipients: options.recipient, recipientsFile: options.recipientsFile },
          ...{ encrypt: !options.noEncrypt, journalLines: options.journalLines, context: options.context },
          timeoutMs: options.timeout * 1000,
        },
        context,
      ),
    );
  },
});
