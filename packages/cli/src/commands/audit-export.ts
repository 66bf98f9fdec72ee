import { resolve } from 'node:path';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';

export const auditExportCommand = defineCommand({
  path: ['audit', 'export'],
  summary: 'Save the audit log of a node to a file, byte for byte',
  examples: [
    { run: 'plinth audit export n1.jsonl', what: 'of the current node' },
    { run: 'plinth audit export w1.jsonl --context w1', what: 'of another' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: { file: required('FILE', 'A file that does not exist yet') },
  run: async ({ options, args }, context) => {
    const { exportAuditLog } = await import('../client/verify-audit.ts');
    return exportAuditLog(options, resolve(args.file), context);
  },
});
