import { GetIdentityResponseSchema, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';

/** showIdentity asks a node who it is. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showIdentity(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getIdentity());
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
}
