import { ListEtcdMembersResponseSchema, messageData } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { askNode } from './ask-node.ts';
import type { NodeOptions } from './node-options.ts';

/** showEtcdMembers asks a control plane for the members and what the loss of one would mean. @throws api/… */
export async function showEtcdMembers(options: NodeOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.etcd.members());
  const { members, quorum, healthy } = answer;
  const spare = healthy - quorum;
  const problems = members.filter(({ problem }) => problem !== '');
  const mark = spare > 0 ? context.style.good : spare === 0 ? context.style.doubtful : context.style.bad;
  return {
    data: messageData(ListEtcdMembersResponseSchema, answer),
    names: members.map(({ name, id }) => name || id),
    view: [
      table(
        [
          { header: 'NAME', value: (member) => member.name },
          { header: 'ID', value: (member) => member.id },
          { header: 'HEALTHY', value: (member) => (member.healthy ? 'yes' : 'no') },
          {
            header: 'VOTE',
            value: (member) => (member.learner ? 'learner' : member.leader ? 'leader' : 'follower'),
          },
          { header: 'SIZE', value: (member) => formatBytes(Number(member.dbSizeBytes)), align: 'right' },
          { header: 'IN USE', value: (member) => formatBytes(Number(member.dbInUseBytes)), align: 'right' },
          { header: 'VERSION', value: (member) => member.version },
          { header: 'PEER', value: (member) => member.peerUrl, wide: true },
        ],
        members,
      ),
      facts([
        ['quorum', `${quorum}, ${healthy} answer`],
        ['may be lost', mark(spareText(spare))],
      ]),
      ...(problems.length > 0
        ? [
            plainText(
              problems.map(({ name, id, problem }) => `${name || id}: ${printable(problem)}`).join('\n'),
            ),
          ]
        : []),
    ],
    exitCode: options.exitCode && (spare < 0 || problems.length > 0) ? exitCodes.findings : exitCodes.ok,
  };
}

/** spareText says how many members may fail before etcd stops. */
export function spareText(spare: number): string {
  if (spare < 0) return 'etcd does not work: too few members answer';
  return spare === 0 ? 'none: one more and etcd stops' : String(spare);
}
