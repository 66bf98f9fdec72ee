import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { ioError, isAlive } from '@plinth/host';
import { readLines } from './console-lines.ts';
import { followFile } from './follow-file.ts';
import { findRunningMachine, type MachineStatus } from './list-machines.ts';
import { machineFiles } from './machine-files.ts';
import { connectInFolder } from './monitor.ts';

/** followConsole yields the console of a machine from its start, as it was printed, until the machine ends. */
export function followConsole(machine: MachineStatus, signal?: AbortSignal): AsyncGenerator<string> {
  const hasEnded = async () => !(await isAlive(machine.record.qemu));
  return followFile(join(machine.folder, machineFiles.console), hasEnded, signal);
}

/** followConsoleLines is followConsole line by line, as plain text. */
export async function* followConsoleLines(
  machine: MachineStatus,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const lines = readLines();
  for await (const chunk of followConsole(machine, signal)) yield* lines.push(chunk);
  yield* lines.end();
}

/** readConsole gives what the machine has printed since its last start, as lines of plain text. @throws host/io */
export async function readConsole(machine: MachineStatus): Promise<string[]> {
  const path = join(machine.folder, machineFiles.console);
  const text = await readFile(path, 'utf8').catch((reason) => {
    throw ioError(reason, `read the console ${path}`);
  });
  const lines = readLines();
  return [...lines.push(text), ...lines.end()];
}

/**
 * openConsole connects to the serial console in both directions; one connection at a time.
 * @throws vm/not-found, vm/not-running
 */
export async function openConsole(name: string, options: { readonly root?: string } = {}): Promise<Socket> {
  const { folder } = await findRunningMachine(name, options.root);
  return connectInFolder(folder, machineFiles.consoleSocket);
}
