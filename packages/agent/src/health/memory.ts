import { type Finding, passIf, unknown } from '../checks/check.ts';
import { parseCounters } from '../kernel/counters.ts';
import { parsePressure } from '../kernel/pressure.ts';
import { readText } from '../sys/sys.ts';
import { type HealthRule, type NodeView, percent, textOf } from './rule.ts';

const FREE_SHARE_MINIMUM = 0.05;
/** Share of a minute in which every task waited for memory, above which the node hardly works (Linux PSI). */
const STALL_PERCENT_MAXIMUM = 10;
const TASK_SHARE_MAXIMUM = 0.8;

export const memoryRules: readonly HealthRule<NodeView>[] = [
  {
    id: 'memory',
    expected: `at least ${percent(FREE_SHARE_MINIMUM)} available, all tasks stalled less than ${STALL_PERCENT_MAXIMUM} % of a minute`,
    source: '/proc/meminfo, /proc/pressure/memory',
    cause: 'Workloads use more memory than they ask for, or the node is too small for them.',
    fix: 'Move workloads away or give the node more memory.',
    observe: async ({ sys }) =>
      judgeMemory(await textOf(sys, '/proc/meminfo'), (await readText(sys, '/proc/pressure/memory')) ?? ''),
  },
  {
    id: 'swap',
    expected: 'no swap',
    source: '/proc/swaps',
    cause: 'Something turned a swap device on; the image has none, and the kubelet does not start with one.',
    fix: 'Remove the swap partition from the disk and reboot.',
    observe: async ({ sys }) => judgeSwap(await textOf(sys, '/proc/swaps')),
  },
  {
    id: 'tasks',
    expected: `less than ${percent(TASK_SHARE_MAXIMUM)} of the processes and threads there can be`,
    source: '/proc/loadavg, /proc/sys/kernel/threads-max, /proc/sys/kernel/pid_max',
    cause: 'A workload starts processes without end.',
    fix: 'Find the pod with the most processes and limit or remove it.',
    observe: async ({ sys }) =>
      judgeTasks(
        await textOf(sys, '/proc/loadavg'),
        await textOf(sys, '/proc/sys/kernel/threads-max'),
        await textOf(sys, '/proc/sys/kernel/pid_max'),
      ),
  },
];

/** judgeMemory reads what the kernel thinks is available (proc_meminfo(5)), and how long all waited for it. */
export function judgeMemory(meminfo: string, pressure: string): Finding {
  const counters = parseCounters(meminfo);
  const total = counters.get('MemTotal') ?? 0;
  const available = counters.get('MemAvailable') ?? 0;
  if (total === 0) return unknown('the kernel does not tell');
  const stalled = (parsePressure(pressure)?.full60 ?? 0) * 100;
  return passIf(
    available / total >= FREE_SHARE_MINIMUM && stalled < STALL_PERCENT_MAXIMUM,
    `${percent(available / total)} available, stalled ${Number(stalled.toFixed(2))} % of the last minute`,
  );
}

/** judgeSwap reads /proc/swaps: a header, then one line a device (proc_swaps(5)). */
export function judgeSwap(swaps: string): Finding {
  const [header = '', ...devices] = swaps.split('\n');
  if (!header.startsWith('Filename')) return unknown('the kernel does not tell');
  return passIf(devices.length === 0, devices.map((line) => line.split(/\s+/)[0]).join(', ') || 'none');
}

/** judgeTasks compares the tasks there are with the smaller of the kernel's limits. */
export function judgeTasks(loadavg: string, threadsMax: string, pidMax: string): Finding {
  const tasks = Number(/^\S+ \S+ \S+ \d+\/(\d+) /.exec(loadavg)?.[1]);
  const limit = Math.min(Number(threadsMax || Number.NaN), Number(pidMax || Number.NaN));
  if (!(tasks > 0 && limit > 0)) return unknown('the kernel does not tell');
  return passIf(tasks / limit < TASK_SHARE_MAXIMUM, `${tasks} of ${limit}`);
}
