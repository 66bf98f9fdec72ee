import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';

import type { ListProcessesResponseSchema, ProcessSchema } from '@plinth/api';
import { inParallel } from '../in-parallel.ts';
import { cgroupOwner } from '../kernel/cgroup-owner.ts';
import {
  type ProcessStat,
  parseProcessCgroup,
  parseProcessStat,
  parseProcessStatus,
} from '../kernel/process-files.ts';
import { pause } from '../repeat.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { isMissing, readBytes, type Sys } from '../sys/sys.ts';
import { openObservation } from './observing.ts';
import { showCommand, splitCommandLine } from './show-command.ts';
import { durationFromUs, stampFromMs } from './times.ts';
import { readUserNames } from './user-names.ts';

const PROCESSES_MAXIMUM = 10_000;
const AT_ONCE = 16;
const COMMAND_LIMIT_BYTES = 4 * 1024;

export interface ProcessOptions {
  /** 0: the mean since each process began. */
  readonly sampleMs: number;
  /** With full command lines. */
  readonly words: boolean;
  readonly kernelThreads: boolean;
  readonly signal: AbortSignal;
}

type ProcessShape = MessageInitShape<typeof ProcessSchema>;

/** One process with what its use of processors is computed from. */
interface Seen {
  readonly stat: ProcessStat;
  readonly shape: ProcessShape;
  /** Time since the kernel started when it was seen. */
  readonly seenMs: number;
}

/** listProcesses reads /proc. A process that ends meanwhile is left out. */
export async function listProcesses(
  sys: Sys,
  options: ProcessOptions,
): Promise<MessageInitShape<typeof ListProcessesResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const names = (await attempt('names of users', () => readUserNames(sys))) ?? new Map<number, string>();
  const upMs = await uptimeMs(sys);
  const startedAtMs = sys.nowMs() - upMs;
  const pids = (await sys.readDir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ordered = pids.sort((a, b) => a - b);
  let hidden = 0;
  const found = await inParallel(ordered.slice(0, PROCESSES_MAXIMUM), AT_ONCE, async (pid) => {
    try {
      return await readProcess(sys, pid, { ...options, names, startedAtMs, upMs });
    } catch (reason) {
      if (!hasEnded(reason)) hidden++;
      return undefined;
    }
  });
  const seen = found.filter((one) => one !== undefined);
  if (hidden > 0) notObserved.push(`processes (${hidden}): the kernel refuses them to plinthd`);
  const waiting = seen.filter(({ stat, shape }) => stat.state === 'D' && shape.command === '').length;
  if (waiting > 0)
    notObserved.push(
      `command lines of processes that wait for a disk (${waiting}): reading them may wait with them`,
    );
  const sampled = options.sampleMs > 0 ? await sample(sys, seen, options) : seen.map(meanUse);
  const unlisted = Math.max(0, ordered.length - PROCESSES_MAXIMUM);
  return {
    processes: sampled,
    total: seen.length + unlisted,
    ...(options.sampleMs > 0 && { sample: durationFromUs(options.sampleMs * 1000) }),
    notObserved,
  };
}

/** Undefined for what is not asked for. */
async function readProcess(
  sys: Sys,
  pid: number,
  context: ProcessOptions & {
    readonly names: ReadonlyMap<number, string>;
    readonly startedAtMs: number;
    readonly upMs: number;
  },
): Promise<Seen | undefined> {
  const text = (file: string) => sys.readAtOnce(`/proc/${pid}/${file}`);
  const stat = parseProcessStat(text('stat'));
  if (!stat || (stat.kernelThread && !context.kernelThreads)) return undefined;
  const status = parseProcessStatus(text('status'));
  if (!status) return undefined;
  const cgroup = parseProcessCgroup(text('cgroup'));
  // The kernel takes a lock of the process to read its words; one that waits for a disk may hold it, and would hold us.
  const silent = stat.kernelThread || stat.state === 'D' || stat.state === 'Z';
  const bytes = silent
    ? undefined
    : await readBytes(limited(sys, COMMAND_LIMIT_BYTES), `/proc/${pid}/cmdline`);
  const words = splitCommandLine(bytes ?? Buffer.alloc(0));
  const { unit, podUid, containerId } = cgroupOwner(cgroup);
  const { name, state, parentPid, threads, cpuMs, startedMs } = stat;
  return {
    stat,
    seenMs: context.upMs,
    shape: {
      ...{ pid, parentPid, state, name, threads, cgroup, unit, podUid, containerId },
      user: context.names.get(status.uid) ?? String(status.uid),
      command: showCommand(words),
      ...(context.words && { arguments: [...words] }),
      memoryBytes: BigInt(status.memoryBytes),
      cpuTime: durationFromUs(cpuMs * 1000),
      startedAt: stampFromMs(context.startedAtMs + startedMs),
    },
  };
}

function limited(sys: Sys, limitBytes: number): Pick<Sys, 'readFile'> {
  return { readFile: (path) => sys.readFile(path, limitBytes) };
}

/** A process may end between two files: the kernel then says that it is not there, or that nothing has that number. */
function hasEnded(reason: unknown): boolean {
  return isMissing(reason) || (reason instanceof Error && 'code' in reason && reason.code === 'ESRCH');
}

function meanUse({ stat, shape, seenMs }: Seen): ProcessShape {
  return { ...shape, cpu: share(stat.cpuMs, seenMs - stat.startedMs) };
}

/** Looks a second time; what has ended meanwhile used what it did until it was seen first. */
async function sample(sys: Sys, seen: readonly Seen[], options: ProcessOptions): Promise<ProcessShape[]> {
  const fromMs = await uptimeMs(sys);
  await pause(options.sampleMs, options.signal);
  const usedMs: number[] = [];
  for (const [index, { stat }] of seen.entries()) {
    // Other calls have their turn, however many processes there are.
    if (index % 500 === 499) await nextTurn();
    const later = lookAgain(sys, stat.pid);
    usedMs.push(later?.startedMs === stat.startedMs ? later.cpuMs - stat.cpuMs : 0);
  }
  const tookMs = (await uptimeMs(sys)) - fromMs;
  return seen.map(({ shape }, index) => ({ ...shape, cpu: share(usedMs[index] ?? 0, tookMs) }));
}

function lookAgain(sys: Sys, pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(sys.readAtOnce(`/proc/${pid}/stat`));
  } catch {
    return undefined; // it has ended
  }
}

function share(usedMs: number, tookMs: number): number {
  return tookMs > 0 ? Math.max(0, usedMs / tookMs) : 0;
}
