import { findRunningMachine, type MachineStatus } from './list-machines.ts';
import { machineFiles } from './machine-files.ts';
import { withMonitor } from './monitor.ts';

const MONITOR_TIMEOUT_MS = 5_000;

/**
 * pauseMachine stops the processors of a machine. Its memory stays where it is, so that it is back at once; a snapshot
 * to disk (savevm) is not possible, because the firmware's variables are a raw file.
 * @throws vm/not-found, vm/not-running, vm/monitor
 */
export async function pauseMachine(name: string, options: { readonly root?: string } = {}): Promise<void> {
  await tell(await findRunningMachine(name, options.root), 'stop');
}

/** resumeMachine lets a paused machine go on; one that runs stays as it is. @throws vm/not-found, vm/not-running, vm/monitor */
export async function resumeMachine(name: string, options: { readonly root?: string } = {}): Promise<void> {
  await tell(await findRunningMachine(name, options.root), 'cont');
}

/** isPaused tells whether the processors of a running machine are stopped. @throws vm/monitor */
export async function isPaused(machine: MachineStatus): Promise<boolean> {
  const status = await tell(machine, 'query-status');
  return typeof status === 'object' && status !== null && 'status' in status && status.status === 'paused';
}

function tell(machine: MachineStatus, command: string): Promise<unknown> {
  return withMonitor(machine.folder, machineFiles.monitorSocket, MONITOR_TIMEOUT_MS, (monitor) =>
    monitor.execute(command),
  );
}
