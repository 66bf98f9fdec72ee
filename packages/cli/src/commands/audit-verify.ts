import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, text } from '../framework/options.ts';

export const auditVerifyCommand = defineCommand({
  path: ['audit', 'verify'],
  summary: 'Find any edit, gap or cut in the audit log of a node, or of a file',
  details: [
    'The newest line seen of each node is remembered here: a log that was cut at its end, or',
    'written anew, does not lead through it. Ends with 3 unless the log is sound.',
  ],
  examples: [
    { run: 'plinth audit verify', what: 'the whole log of the current node' },
    { run: 'plinth audit verify --since-checkpoint', what: 'only what came since the last look' },
    { run: 'plinth audit verify --file n1.jsonl', what: 'what was exported' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    sinceCheckpoint: flag('Only from the line that is remembered on'),
    file: text('FILE', 'An exported log instead of a node'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { verifyAuditFile, verifyAuditLog } = await import('../client/verify-audit.ts');
    return options.file === undefined
      ? verifyAuditLog(options, options.sinceCheckpoint, context)
      : verifyAuditFile(resolve(options.file));
  },
});
