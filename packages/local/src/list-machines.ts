import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, ioError, isAlive, isErrno } from '@plinth/host';
import { machineFiles, machineFolder, machinesRoot } from './machine-files.ts';
import { type MachineRecord, readMachineRecord } from './machine-record.ts';

/** `dead`: QEMU is gone though neither Plinth nor the guest ended it. */
export type MachineState = 'running' | 'stopped' | 'dead';

export interface MachineStatus {
  readonly name: string;
  readonly folder: string;
  readonly state: MachineState;
  /** For a dead machine: the last line QEMU wrote. */
  readonly reason?: string;
  readonly record: MachineRecord;
}

/** listMachines gives the machines of this user by name. @throws vm/bad-record, host/io */
export async function listMachines(root: string = machinesRoot()): Promise<MachineStatus[]> {
  const names = await readdir(root, { withFileTypes: true }).catch((reason) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list the machines in ${root}`);
  });
  const machines: MachineStatus[] = [];
  for (const entry of names) {
    if (!entry.isDirectory()) continue;
    const machine = await readMachine(entry.name, root);
    if (machine) machines.push(machine);
  }
  return machines.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** findMachine gives the machine of that name. @throws vm/not-found, vm/bad-spec, vm/bad-record */
export async function findMachine(name: string, root?: string): Promise<MachineStatus> {
  const machine = await readMachine(name, root);
  if (machine) return machine;
  throw new PlinthError('vm/not-found', `Cannot find machine "${name}": there is none of that name`);
}

/** findRunningMachine gives the machine of that name if it runs. @throws vm/not-found, vm/not-running */
export async function findRunningMachine(name: string, root?: string): Promise<MachineStatus> {
  const machine = await findMachine(name, root);
  if (machine.state === 'running') return machine;
  const state = machine.reason ? `${machine.state} (${machine.reason})` : machine.state;
  throw new PlinthError('vm/not-running', `Cannot use machine "${name}": it is ${state}, expected running`);
}

/** readMachine is findMachine without the complaint. */
export async function readMachine(name: string, root?: string): Promise<MachineStatus | undefined> {
  const folder = machineFolder(name, root);
  const record = await readMachineRecord(folder);
  if (!record) return undefined;
  if (await isAlive(record.qemu)) return { name, folder, state: 'running', record };
  if (record.stoppedAt !== undefined) return { name, folder, state: 'stopped', record };
  // QEMU removes its pid file when it ends by itself, be it for the guest's power-off or for an error it logged.
  const lastLine = await lastLogLine(folder, machineFiles.qemuLog);
  const killed = await exists(join(folder, machineFiles.qemuPid));
  if (!killed && lastLine === undefined) return { name, folder, state: 'stopped', record };
  return { name, folder, state: 'dead', reason: lastLine ?? 'QEMU was killed', record };
}

/** lastLogLine gives the last line of a log that is more than a warning; undefined when there is none. */
export async function lastLogLine(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/: warning: /.test(line))
    .at(-1);
}
