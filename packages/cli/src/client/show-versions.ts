import { GetVersionsResponseSchema, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AskOptions, askNode } from './ask-node.ts';

/** showVersions asks a node for its software. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showVersions(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getVersions());
  const rows: [string, string][] = [
    ['image', `${answer.imageId} ${answer.imageVersion}`],
    ['system', answer.osPrettyName],
    ['support ends', answer.supportEnd],
    ['kernel', answer.kernelRelease],
    ['kernel build', answer.kernelBuild],
    ['systemd', answer.systemd],
    ['containerd', answer.containerd],
    ['plinthd', answer.agent],
    ['runtime', answer.agentRuntime],
    ['architecture', answer.architecture],
  ];
  return {
    data: messageData(GetVersionsResponseSchema, answer),
    view: [facts(rows.map(([label, value]) => [label, printable(value).trim() || '<unknown>']))],
  };
}
