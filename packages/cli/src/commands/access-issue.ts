import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { required, text, textOr } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

export const accessIssueCommand = defineCommand({
  path: ['access', 'issue'],
  summary: 'Make a certificate for a person, with a file to hand over',
  details: ['The file holds the private key: send it by a way that nobody else reads.'],
  examples: [
    { run: 'plinth access issue bob', what: 'look at every node for 12 hours' },
    { run: 'plinth access issue eve --role operator --ttl 1h --nodes w1', what: 'act on one node' },
  ],
  options: {
    role: textOr('ROLE', 'reader', 'reader, operator, admin, or one of your own'),
    ttl: timeSpan({ min: '1m', max: '90d', fallback: '12h' }, 'How long it is valid: 30m, 12h, 7d'),
    output: text('FILE', 'Where to write it; default: NAME.plinth-access here'),
    nodes: text('LIST', 'Contexts to put into the file; default: all'),
    ...keyOptions,
  },
  args: { name: required('NAME', 'Whose; shown in audit logs') },
  run: async ({ args, options }, context) => {
    const { issueAccess } = await import('../access/issue-access.ts');
    return issueAccess(args.name, options, context);
  },
});
