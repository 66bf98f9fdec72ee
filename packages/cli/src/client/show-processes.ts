import { ListProcessesResponseSchema, messageData, type Process } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { ageCell, cutBlock, notObservedBlock, ownerCell, percentCell } from './system-cells.ts';

export interface ProcessView {
  /** Seconds over which the use of processors is measured. */
  readonly sample: number;
  readonly sort: 'cpu' | 'memory' | 'pid' | undefined;
  readonly args: boolean;
  readonly kernel: boolean;
}

/** showProcesses asks a node for its processes, the hungriest first. @throws cli/context-missing, api/… */
export async function showProcesses(
  options: AskOptions & ProcessView,
  context: CommandContext,
): Promise<CommandResult> {
  const asked = { sampleMs: options.sample * 1000, arguments: options.args, kernelThreads: options.kernel };
  const answer = await askNode(options, context, (node) => node.system.processes(asked));
  const rows = [...answer.processes].sort(orders[options.sort ?? 'cpu']);
  return {
    data: messageData(ListProcessesResponseSchema, answer),
    names: rows.map(({ pid }) => String(pid)),
    view: [
      table(
        [
          { header: 'PID', value: ({ pid }) => String(pid), align: 'right' },
          { header: 'USER', value: ({ user }) => user },
          { header: 'CPU', value: ({ cpu }) => percentCell(cpu), align: 'right' },
          { header: 'MEMORY', value: ({ memoryBytes }) => formatBytes(Number(memoryBytes)), align: 'right' },
          { header: 'STATE', value: ({ state }) => state, mark: stateMark },
          { header: 'THREADS', value: ({ threads }) => String(threads), align: 'right', wide: true },
          {
            header: 'TIME',
            value: ({ cpuTime }) => formatDuration(durationMs(cpuTime)),
            align: 'right',
            wide: true,
          },
          { header: 'PARENT', value: ({ parentPid }) => String(parentPid), align: 'right', wide: true },
          { header: 'AGE', value: ({ startedAt }) => ageCell(startedAt), align: 'right', wide: true },
          { header: 'OWNER', value: (process) => shortOwner(process) },
          { header: 'COMMAND', value: (process) => commandText(process, options.args) },
        ],
        rows,
      ),
      ...cutBlock(answer.processes.length, answer.total, 'processes'),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

function byCpu(a: Process, b: Process): number {
  return b.cpu - a.cpu || byMemory(a, b);
}

function byMemory(a: Process, b: Process): number {
  return Number(b.memoryBytes - a.memoryBytes) || a.pid - b.pid;
}

const orders: Readonly<Record<'cpu' | 'memory' | 'pid', (a: Process, b: Process) => number>> = {
  cpu: byCpu,
  memory: byMemory,
  pid: (a, b) => a.pid - b.pid,
};

/** The beginning of a pod's id is enough to find it; the kernel's threads have none. */
function shortOwner(process: Process): string {
  return process.podUid === '' ? ownerCell(process) : `pod ${process.podUid.slice(0, 8)}`;
}

/** Threads of the kernel stand in brackets, as ps shows them. */
function commandText({ name, command, arguments: words }: Process, all: boolean): string {
  const text = all ? words.join(' ') : command;
  return text === '' ? `[${name}]` : text;
}

function stateMark({ state }: Process, style: Style) {
  if (state === 'D' || state === 'Z') return style.bad;
  return state === 'R' ? style.good : style.faint;
}
