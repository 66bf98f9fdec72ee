import type { MachineStatus } from './list-machines.ts';
import { machineFiles } from './machine-files.ts';
import { withMonitor } from './monitor.ts';

const MONITOR_TIMEOUT_MS = 5_000;
/** The kernel's words (kernel/rcu/tree_stall.h) when a processor gets no timer interrupts any more. */
const NO_TIMER = /rcu: .* kthread timer wakeup didn't happen for \d+ jiffies/;
/** One such report may come from a computer that was only late. */
const REPORTS = 2;

/**
 * stalledTimers says of each line of a console, in turn, whether the machine stands still for good since then: on a starved computer
 * without KVM an emulated processor may lose its timer as the kernel starts, and nothing of the guest's will wake it.
 */
export function stalledTimers(): (line: string) => boolean {
  let reports = 0;
  return (line) => NO_TIMER.test(line) && ++reports === REPORTS;
}

/** resetMachine presses the reset button, also of a machine that ends where its system restarts itself. @throws vm/monitor */
export async function resetMachine({ folder, record }: MachineStatus): Promise<void> {
  await withMonitor(folder, machineFiles.monitorSocket, MONITOR_TIMEOUT_MS, async ({ execute }) => {
    await execute('set-action', { reboot: 'reset' });
    await execute('system_reset');
    if (record.onReboot === 'end') await execute('set-action', { reboot: 'shutdown' });
  });
}
