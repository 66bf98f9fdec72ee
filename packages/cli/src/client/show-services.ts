import { ListServicesResponseSchema, messageData, type Service } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { ageCell, bytesCell, cutBlock, emptyText, notObservedBlock } from './system-cells.ts';

/**
 * showServices asks a node for the units of systemd; those that failed come first. Without `all` inactive ones are left
 * out, as systemctl does. @throws cli/context-missing, api/…
 */
export async function showServices(
  options: AskOptions & { readonly all: boolean; readonly units: boolean; readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.services({ allKinds: options.units }));
  const rows = answer.services.filter((one) => options.all || one.activeState !== 'inactive');
  const failed = answer.services.some(({ activeState }) => activeState === 'failed');
  const unsure = answer.notObserved.length > 0;
  return {
    data: messageData(ListServicesResponseSchema, answer),
    names: rows.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'STATE', value: stateText, mark: stateMark },
          { header: 'RESTARTS', value: ({ restarts }) => String(restarts), align: 'right' },
          {
            header: 'MEMORY',
            value: ({ memoryBytes }) => (memoryBytes === undefined ? '' : bytesCell(memoryBytes)),
            align: 'right',
          },
          {
            header: 'CPU',
            value: ({ cpuTime }) => (cpuTime ? formatDuration(durationMs(cpuTime)) : ''),
            align: 'right',
          },
          { header: 'RESULT', value: resultText, mark: resultMark },
          {
            header: 'PID',
            value: ({ mainPid }) => (mainPid === 0 ? '' : String(mainPid)),
            align: 'right',
            wide: true,
          },
          { header: 'ENABLED', value: ({ unitFileState }) => unitFileState, wide: true },
          { header: 'DESCRIPTION', value: ({ description }) => description, wide: true },
          { header: 'SINCE', value: ({ since }) => ageCell(since) },
        ],
        rows,
        emptyText(answer.notObserved, 'No unit is active.'),
      ),
      ...cutBlock(answer.services.length, answer.total, 'units'),
      ...notObservedBlock(answer.notObserved),
    ],
    exitCode: options.exitCode && (failed || unsure) ? exitCodes.findings : exitCodes.ok,
  };
}

function stateText({ loadState, activeState, subState }: Service): string {
  if (loadState !== 'loaded') return loadState;
  return activeState === subState ? activeState : `${activeState} (${subState})`;
}

function stateMark({ activeState }: Service, style: Style) {
  if (activeState === 'failed') return style.bad;
  return activeState === 'active' ? style.good : activeState === 'inactive' ? style.faint : style.doubtful;
}

/** "exit-code 1", "signal 9": with the number that explains it. */
function resultText({ result, exitStatus, bySignal }: Service): string {
  if (result === 'success' || result === '') return result;
  return exitStatus === 0
    ? result
    : `${result} ${exitStatus}${bySignal && result !== 'signal' ? ' (signal)' : ''}`;
}

function resultMark({ result }: Service, style: Style) {
  return result === 'success' || result === '' ? style.faint : style.bad;
}
