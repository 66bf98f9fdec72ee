import {
  type Cgroup,
  GetResourcesResponseSchema,
  ListCgroupsResponseSchema,
  messageData,
  type Pressure,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { bytesCell, cutBlock, emptyText, notObservedBlock, percentCell } from './system-cells.ts';

/** Share of time lost above which people look. */
const LOST_MUCH = 0.1;

/** showResources asks a node for memory, processors, load and pressure. @throws cli/context-missing, api/… */
export async function showResources(
  options: AskOptions & { readonly sample: number },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) =>
    node.system.resources({ sampleMs: options.sample * 1000 }),
  );
  const { memory, processors, load } = answer;
  const bytes = (size: bigint) => formatBytes(Number(size));
  return {
    data: messageData(GetResourcesResponseSchema, answer),
    view: [
      facts([
        ...(memory
          ? ([
              [
                'memory',
                `${bytes(memory.totalBytes)}, ${bytes(memory.availableBytes)} available (${percentCell(ratio(memory.availableBytes, memory.totalBytes))})`,
              ],
              [
                '',
                `files ${bytes(memory.cachedBytes)}, shared ${bytes(memory.sharedBytes)}, kernel ${bytes(memory.kernelBytes)}, dirty ${bytes(memory.dirtyBytes)}`,
              ],
              [
                'swap',
                memory.swapTotalBytes === 0n
                  ? 'none'
                  : `${bytes(memory.swapUsedBytes)} of ${bytes(memory.swapTotalBytes)}`,
              ],
              [
                'out of memory',
                memory.oomKills === undefined ? '<unknown>' : `${memory.oomKills} ended since the start`,
              ],
            ] as [string, string][])
          : []),
        ...(processors
          ? ([
              ['processors', `${processors.count} × ${processors.model || '<unknown>'}`],
              [
                processors.sample
                  ? `last ${formatDuration(durationMs(processors.sample))}`
                  : 'since the start',
                `programs ${percentCell(processors.user)}, kernel ${percentCell(processors.system)}, disk wait ${percentCell(processors.ioWait)}, stolen ${percentCell(processors.steal)}, idle ${percentCell(processors.idle)}`,
              ],
            ] as [string, string][])
          : []),
        ...(load.length > 0
          ? ([['load', `${load.map((one) => one.toFixed(2)).join(' ')} (1, 5, 15 minutes)`]] as [
              string,
              string,
            ][])
          : []),
        ['tasks', `${answer.tasks} of ${answer.tasksLimit}`],
        ['uptime', answer.uptime ? formatDuration(durationMs(answer.uptime)) : '<unknown>'],
      ]),
      table(
        [
          { header: 'WAITING-FOR', value: ({ resource }) => resource },
          { header: 'SOME-10S', value: ({ some10 }) => percentCell(some10), align: 'right', mark: lostMark },
          { header: 'SOME-60S', value: ({ some60 }) => percentCell(some60), align: 'right' },
          { header: 'SOME-300S', value: ({ some300 }) => percentCell(some300), align: 'right' },
          { header: 'ALL-10S', value: ({ full10 }) => percentCell(full10), align: 'right', mark: lostMark },
          { header: 'ALL-60S', value: ({ full60 }) => percentCell(full60), align: 'right' },
          { header: 'ALL-300S', value: ({ full300 }) => percentCell(full300), align: 'right' },
        ],
        answer.pressure,
        'The kernel does not tell its pressure.',
      ),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

function ratio(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number(part) / Number(whole);
}

function lostMark({ some10, full10 }: Pressure, style: Style) {
  return full10 >= LOST_MUCH ? style.bad : some10 >= LOST_MUCH ? style.doubtful : style.faint;
}

/** showCgroups asks a node who uses memory and processors, as a tree. @throws cli/context-missing, api/… */
export async function showCgroups(
  options: AskOptions & { readonly sample: number; readonly containers: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const asked = { sampleMs: options.sample * 1000, containers: options.containers };
  const answer = await askNode(options, context, (node) => node.system.cgroups(asked));
  const lost = (cgroup: Cgroup, resource: string) => {
    const pressure = cgroup.pressure.find((one) => one.resource === resource);
    return pressure ? percentCell(pressure.some10) : '';
  };
  return {
    data: messageData(ListCgroupsResponseSchema, answer),
    names: answer.cgroups.map(({ path }) => path),
    view: [
      table(
        [
          { header: 'NAME', value: treeName },
          {
            header: 'MEMORY',
            value: ({ memoryBytes }) => (memoryBytes === undefined ? '' : bytesCell(memoryBytes)),
            align: 'right',
          },
          {
            header: 'LIMIT',
            value: ({ memoryLimitBytes }) =>
              memoryLimitBytes === undefined ? '' : bytesCell(memoryLimitBytes),
            align: 'right',
          },
          { header: 'CPU', value: ({ cpu }) => (cpu === undefined ? '' : percentCell(cpu)), align: 'right' },
          {
            header: 'TASKS',
            value: ({ tasks }) => (tasks === undefined ? '' : String(tasks)),
            align: 'right',
          },
          {
            header: 'TIME',
            value: ({ cpuTime }) => (cpuTime ? formatDuration(durationMs(cpuTime)) : ''),
            align: 'right',
            wide: true,
          },
          { header: 'CPU-WAIT', value: (one) => lost(one, 'cpu'), align: 'right', wide: true },
          { header: 'MEMORY-WAIT', value: (one) => lost(one, 'memory'), align: 'right', wide: true },
          { header: 'IO-WAIT', value: (one) => lost(one, 'io'), align: 'right', wide: true },
          {
            header: 'OOM',
            value: ({ oomKills }) => (oomKills === undefined ? '' : String(oomKills)),
            align: 'right',
            mark: ({ oomKills }, style) =>
              oomKills !== undefined && oomKills > 0n ? style.bad : style.faint,
          },
        ],
        answer.cgroups,
        emptyText(answer.notObserved, 'The node tells no control group.'),
      ),
      ...cutBlock(answer.cgroups.length, answer.total, 'control groups'),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

/** The last part of the path, moved in by its depth; a pod by its id. */
function treeName({ path, depth, podUid }: Cgroup): string {
  const name = path === '/' ? '/' : (path.split('/').at(-1) ?? '');
  const isPod = podUid !== '' && name.replaceAll('_', '-').includes(podUid);
  // A blank that does not break, for tables take blanks at the beginning as they are.
  return `${'  '.repeat(depth)}${isPod ? `pod ${podUid}` : name}`;
}
