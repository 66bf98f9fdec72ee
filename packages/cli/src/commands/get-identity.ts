import { GetIdentityResponseSchema, messageData } from '@plinth/api';
import { askNode, nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';

export const getIdentityCommand = defineCommand({
  path: ['get', 'identity'],
  summary: 'Show which node answers, and as whom it sees you',
  examples: [
    { run: 'plinth get identity', what: 'name, id, fingerprint, addresses, your role' },
    { run: 'plinth get identity -o yaml', what: 'for a record' },
  ],
  options: { context: nodeOptions.context, timeout: nodeOptions.timeout },
  args: {},
  run: async ({ options }, context) => {
    const answer = await askNode({ ...options, exitCode: false }, context, (node) => node.getIdentity());
    const rows: [string, string][] = [
      ['node', answer.nodeName],
      ['id', answer.nodeId],
      ['fingerprint', answer.certificateFingerprint],
      ['kept on disk', answer.identityPersistent ? 'yes' : 'no'],
      ['machine id', answer.machineId],
      ['boot id', answer.bootId],
      ['addresses', answer.addresses.join(', ')],
      ['config from', answer.configSource],
      ['you are', answer.caller ? `${answer.caller.commonName} (${answer.caller.role})` : ''],
    ];
    return {
      data: messageData(GetIdentityResponseSchema, answer),
      view: [facts(rows.map(([label, value]) => [label, printable(value) || '<unknown>']))],
    };
  },
});
