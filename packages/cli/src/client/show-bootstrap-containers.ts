import {
  type BootstrapContainer,
  BootstrapContainerState,
  ListBootstrapContainersResponseSchema,
  messageData,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';

const STATES: Readonly<Record<BootstrapContainerState, string>> = {
  [BootstrapContainerState.UNSPECIFIED]: 'unknown',
  [BootstrapContainerState.WAITING]: 'waiting',
  [BootstrapContainerState.RUNNING]: 'running',
  [BootstrapContainerState.SUCCEEDED]: 'succeeded',
  [BootstrapContainerState.FAILED]: 'failed',
};

/** showBootstrapContainers asks a node how its bootstrap containers came out. @throws cli/context-missing, api/… */
export async function showBootstrapContainers(
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.bootstrapContainers.list());
  return {
    data: messageData(ListBootstrapContainersResponseSchema, answer),
    names: answer.containers.map(({ name }) => printable(name)),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'STATE', value: ({ state }) => wordFor(state), mark },
          { header: 'EXIT', value: ({ exitCode }) => String(exitCode ?? ''), align: 'right' },
          { header: 'TOOK', value: took, align: 'right' },
          { header: 'ESSENTIAL', value: ({ essential }) => (essential ? 'yes' : 'no') },
          { header: 'RUN', value: ({ run }) => run },
          { header: 'IMAGE', value: ({ image }) => image, wide: true },
          { header: 'REASON', value: ({ reason }) => reason },
        ],
        answer.containers,
        'The config of the node asks for no bootstrap containers.',
      ),
      ...answer.containers
        .filter(isTold)
        .map(({ name, output }) => plainText(`\n${printable(name)} wrote last:\n${lastLines(output)}`)),
    ],
  };
}

/** What a container wrote is of interest when it failed. */
function isTold({ state, output }: BootstrapContainer): boolean {
  return state === BootstrapContainerState.FAILED && output.trim() !== '';
}

const LINES = 10;

function lastLines(output: string): string {
  return output
    .trimEnd()
    .split('\n')
    .slice(-LINES)
    .map((line) => `  ${printable(line)}`)
    .join('\n');
}

function wordFor(state: BootstrapContainerState): string {
  return STATES[state] ?? 'unknown';
}

function took({ duration }: BootstrapContainer): string {
  return duration ? formatDuration(durationMs(duration)) : '';
}

function mark({ state }: BootstrapContainer, style: Style) {
  if (state === BootstrapContainerState.SUCCEEDED) return style.good;
  return state === BootstrapContainerState.FAILED ? style.bad : style.doubtful;
}
