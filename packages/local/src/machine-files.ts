import { join } from 'node:path';
import { stateDir } from '@plinth/host';
import { checkMachineName } from './machine-spec.ts';

/**
 * The files in a machine's folder. QEMU and swtpm run inside that folder and get these names as they are: a path to a
 * unix socket may have 107 bytes (unix(7)), the folder of a user may be deeper than that.
 */
export const machineFiles = {
  record: 'machine.json',
  disk: 'disk.qcow2',
  firmwareVariables: 'firmware-variables.fd',
  machineConfig: 'machine-config.yaml',
  console: 'console.log',
  consoleOfRunBefore: 'console.previous.log',
  consoleSocket: 'console.sock',
  monitorSocket: 'monitor.sock',
  screenshot: 'screenshot.png',
  qemuLog: 'qemu.log',
  qemuPid: 'qemu.pid',
  tpmState: 'tpm',
  tpmSocket: 'tpm.sock',
  tpmLog: 'tpm.log',
} as const;

/** machinesRoot is the folder that holds one folder a machine. */
export function machinesRoot(): string {
  return join(stateDir(), 'machines');
}

/** machineFolder is the folder of one machine. @throws vm/bad-spec for a name that is not one */
export function machineFolder(name: string, root: string = machinesRoot()): string {
  checkMachineName(name);
  return join(root, name);
}

/** consolePath is the file that holds everything the machine printed on its console since its last start. */
export function consolePath(name: string, root?: string): string {
  return join(machineFolder(name, root), machineFiles.console);
}
