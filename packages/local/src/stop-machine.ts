import { endProcess, removeTree, waitForEnd, withLock } from '@plinth/host';
import { findMachine, type MachineStatus, readMachine } from './list-machines.ts';
import { machineFiles, machineFolder } from './machine-files.ts';
import { writeMachineRecord } from './machine-record.ts';
import { withMonitor } from './monitor.ts';

export interface StopOptions {
  readonly root?: string;
  /** How long the guest may take to power itself off before it loses power; 0 takes its power at once. */
  readonly graceMs?: number;
}

/** A node with pods under translation took 65 s to power off (measured). */
const DEFAULT_GRACE_MS = 120_000;
const MONITOR_TIMEOUT_MS = 5_000;
const END_GRACE_MS = 5_000;

/** How a machine came to its end. */
export type StopOutcome = 'was-not-running' | 'powered-off' | 'power-taken';

/**
 * stopMachine presses the power button, then takes the power, then ends QEMU by force: whichever works first.
 * @throws vm/not-found, host/locked
 */
export async function stopMachine(name: string, options: StopOptions = {}): Promise<StopOutcome> {
  const folder = machineFolder(name, options.root);
  return withLock(`${folder}.lock`, `stop machine "${name}"`, async () => {
    const machine = await findMachine(name, options.root);
    const outcome = await endMachine(machine, options.graceMs ?? DEFAULT_GRACE_MS);
    if (outcome !== 'was-not-running') {
      await writeMachineRecord(folder, { ...machine.record, stoppedAt: new Date().toISOString() });
    }
    return outcome;
  });
}

/**
 * destroyMachine takes a machine's power and removes its disk, firmware variables, TPM and console. The image it was
 * made from stays. A half-made machine, or one whose record is damaged, is removed as well.
 * @throws host/locked, vm/bad-spec
 */
export async function destroyMachine(name: string, options: { readonly root?: string } = {}): Promise<void> {
  const folder = machineFolder(name, options.root);
  await withLock(`${folder}.lock`, `destroy machine "${name}"`, async () => {
    const machine = await readMachine(name, options.root);
    if (machine) await endMachine(machine, 0);
    await removeTree(folder);
  });
}

async function endMachine(machine: MachineStatus, graceMs: number): Promise<StopOutcome> {
  const { qemu, tpm } = machine.record;
  const wasRunning = machine.state === 'running';
  const poweredOff = wasRunning && graceMs > 0 && (await tell(machine, 'system_powerdown', graceMs));
  if (wasRunning && !poweredOff && !(await tell(machine, 'quit', END_GRACE_MS))) {
    await endProcess(qemu, END_GRACE_MS);
  }
  // swtpm ends with QEMU's connection; one whose QEMU was killed too early to connect does not.
  if (tpm) await endProcess(tpm, END_GRACE_MS);
  if (!wasRunning) return 'was-not-running';
  return poweredOff ? 'powered-off' : 'power-taken';
}

/** Gives QEMU a command after which it should end, and tells whether it did in time. */
async function tell(machine: MachineStatus, command: string, timeoutMs: number): Promise<boolean> {
  await withMonitor(machine.folder, machineFiles.monitorSocket, MONITOR_TIMEOUT_MS, (monitor) =>
    monitor.execute(command),
  ).catch(() => {
    // A QEMU that cannot be told is ended by the next, harder step; "quit" closes the line before it answers.
  });
  return waitForEnd(machine.record.qemu, timeoutMs);
}
