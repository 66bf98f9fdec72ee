/** The kernel counts time for programs in these, on every architecture (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
export const TICK_MS = 10;
/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x0020_0000;

/** What /proc/PID/stat tells. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter. */
  readonly state: string;
  readonly parentPid: number;
  readonly kernelThread: boolean;
  /** Time in programs and in the kernel, milliseconds. */
  readonly cpuMs: number;
  readonly threads: number;
  /** When it began, milliseconds since the kernel did. */
  readonly startedMs: number;
}

/**
 * parseProcessStat reads /proc/PID/stat (proc_pid_stat(5)); undefined for another shape. The name stands in brackets and may
 * hold anything, brackets and newlines too: the last one ends it.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 2 || close < open) return undefined;
  // The field after the name is the third of the manual's list.
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const numbers = [field(4), field(9), field(14), field(15), field(20), field(22)];
  const pid = Number(text.slice(0, open).trim());
  if (!Number.isSafeInteger(pid) || numbers.some((value) => !Number.isFinite(value))) return undefined;
  return {
    pid,
    name: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parentPid: field(4),
    kernelThread: (field(9) & KERNEL_THREAD) !== 0,
    cpuMs: (field(14) + field(15)) * TICK_MS,
    threads: field(20),
    startedMs: field(22) * TICK_MS,
  };
}

/** What /proc/PID/status tells beside. */
export interface ProcessStatus {
  /** Effective user. */
  readonly uid: number;
  /** Resident memory in bytes; 0 for threads of the kernel and what has ended. */
  readonly memoryBytes: number;
}

/** parseProcessStatus reads /proc/PID/status (proc_pid_status(5)); undefined for another shape. */
export function parseProcessStatus(text: string): ProcessStatus | undefined {
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(text)?.[1];
  if (uid === undefined) return undefined;
  return { uid: Number(uid), memoryBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024 };
}

/** parseProcessCgroup reads the path in the one tree of version 2 from /proc/PID/cgroup (cgroups(7)); "" without one. */
export function parseProcessCgroup(text: string): string {
  return /^0::(.*)$/m.exec(text)?.[1] ?? '';
}

/** parseUserNames reads passwd(5): names by user id; the first name of an id counts, as for getpwuid(3). */
export function parseUserNames(passwd: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of passwd.split('\n')) {
    const [name, , id] = line.split(':');
    if (name && id && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
