import type { MessageInitShape } from '@bufbuild/protobuf';

import type { GetResourcesResponseSchema, MemorySchema, PressureSchema, ProcessorsSchema } from '@plinth/api';
import { parseCounters } from '../kernel/counters.ts';
import { type CpuTimes, parseCpuTimes } from '../kernel/cpu-times.ts';
import { parsePressure } from '../kernel/pressure.ts';
import { pause } from '../repeat.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { openObservation } from './observing.ts';
import { durationFromUs } from './times.ts';

const PRESSURE = ['cpu', 'memory', 'io', 'irq'];

/** getResources reads memory, processors, load and pressure. @param sampleMs 0: shares since the kernel started */
export async function getResources(
  sys: Sys,
  sampleMs: number,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GetResourcesResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const text = async (path: string) => (await sys.readFile(path)).toString();
  const [memory, processors, loadavg, pressure, limit, upMs] = await Promise.all([
    attempt('memory', async () =>
      memoryShape(await text('/proc/meminfo'), await readText(sys, '/proc/vmstat')),
    ),
    attempt('processors', () => processorsShape(sys, sampleMs, signal)),
    attempt('load', async () => parseLoad(await text('/proc/loadavg'))),
    attempt('pressure', () => readPressure(sys, (resource) => `/proc/pressure/${resource}`)),
    attempt('limit of tasks', async () =>
      tasksLimit(await text('/proc/sys/kernel/threads-max'), await text('/proc/sys/kernel/pid_max')),
    ),
    attempt('uptime', () => uptimeMs(sys)),
  ]);
  return {
    ...(memory && { memory }),
    ...(processors && { processors }),
    ...(loadavg && { load: [...loadavg.load], tasks: loadavg.tasks }),
    pressure: pressure ?? [],
    tasksLimit: limit ?? 0,
    ...(upMs !== undefined && { uptime: durationFromUs(upMs * 1000) }),
    notObserved,
  };
}

/** readPressure reads a file of PSI for each resource; those that the kernel does not keep are left out. */
export async function readPressure(
  sys: Pick<Sys, 'readFile'>,
  pathOf: (resource: string) => string,
): Promise<MessageInitShape<typeof PressureSchema>[]> {
  const found = PRESSURE.map(async (resource) => {
    const pressure = parsePressure((await readText(sys, pathOf(resource))) ?? '');
    return pressure ? [{ resource, ...pressure }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** parseLoad reads /proc/loadavg; undefined for another shape. */
export function parseLoad(
  text: string,
): { readonly load: readonly number[]; readonly tasks: number } | undefined {
  const match = /^([\d.]+) ([\d.]+) ([\d.]+) \d+\/(\d+) /.exec(text);
  if (!match) return undefined;
  return { load: match.slice(1, 4).map(Number), tasks: Number(match[4]) };
}

function tasksLimit(threadsMax: string, pidMax: string): number {
  return Math.min(Number(threadsMax), Number(pidMax), 2 ** 31) || 0;
}

/** memoryShape reads /proc/meminfo and /proc/vmstat. Throws when the kernel does not tell the size of its memory. */
export function memoryShape(
  meminfo: string,
  vmstat: string | undefined,
): MessageInitShape<typeof MemorySchema> {
  const counters = parseCounters(meminfo);
  const of = (...names: readonly string[]) =>
    BigInt(names.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0));
  if (of('MemTotal') === 0n) throw new Error('/proc/meminfo has no MemTotal');
  const oomKills = parseCounters(vmstat ?? '').get('oom_kill');
  return {
    ...{ totalBytes: of('MemTotal'), freeBytes: of('MemFree'), availableBytes: of('MemAvailable') },
    ...{ cachedBytes: of('Cached', 'Buffers'), sharedBytes: of('Shmem') },
    kernelBytes: of('Slab', 'PageTables', 'KernelStack'),
    dirtyBytes: of('Dirty', 'Writeback'),
    ...{ swapTotalBytes: of('SwapTotal'), swapUsedBytes: of('SwapTotal') - of('SwapFree') },
    ...(oomKills !== undefined && { oomKills: BigInt(oomKills) }),
  };
}

async function processorsShape(
  sys: Sys,
  sampleMs: number,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ProcessorsSchema>> {
  const look = async () => parseCpuTimes((await sys.readFile('/proc/stat')).toString());
  const first = await look();
  if (!first) throw new Error('/proc/stat has no line of all processors');
  let spent: CpuTimes = first;
  if (sampleMs > 0) {
    await pause(sampleMs, signal);
    const second = await look();
    if (second) spent = difference(second, first);
  }
  const all = spent.user + spent.system + spent.ioWait + spent.steal + spent.idle;
  const share = (ticks: number) => (all > 0 ? ticks / all : 0);
  const cpuinfo = (await readText(sys, '/proc/cpuinfo')) ?? '';
  return {
    count: first.count,
    model: /^(?:model name|Model|CPU part)\s*:\s*(.+)$/m.exec(cpuinfo)?.[1] ?? '',
    ...(sampleMs > 0 && { sample: durationFromUs(sampleMs * 1000) }),
    ...{ user: share(spent.user), system: share(spent.system), ioWait: share(spent.ioWait) },
    ...{ steal: share(spent.steal), idle: share(spent.idle) },
  };
}

/** Time waited for disks may be counted backwards (proc_stat(5)). */
function difference(later: CpuTimes, earlier: CpuTimes): CpuTimes {
  const of = (key: keyof CpuTimes) => Math.max(0, later[key] - earlier[key]);
  return {
    ...{ count: later.count, user: of('user'), system: of('system') },
    ...{ ioWait: of('ioWait'), steal: of('steal'), idle: of('idle') },
  };
}
