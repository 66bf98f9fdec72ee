import { oneNodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required, short, text } from '../framework/options.ts';

export const sessionRecordingCommand = defineCommand({
  path: ['session', 'recording'],
  summary: 'Fetch what was typed and shown in a session, as asciicast',
  details: ['The file is held against the SHA-256 that the node tells; the audit log has it too.'],
  examples: [
    { run: 'plinth session recording 1f3a9c20 -w look.cast', what: 'for any player of asciicast' },
    { run: 'plinth session recording 1f3a9c20 | tail', what: 'its last lines' },
  ],
  options: {
    output: short('w', text('FILE', 'A new file; default: standard output')),
    ...oneNodeOptions,
  },
  args: { session: required('SESSION', 'Its id, from "plinth session list"') },
  run: async ({ options, args }, context) => {
    const { fetchRecording } = await import('../session/fetch-recording.ts');
    return fetchRecording(args.session, options, context);
  },
});
