import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { removeTree, withLock } from '@plinth/host';
import { type Accelerator, detectAccelerator } from './accelerator.ts';
import { checkSameBase, identifyBase } from './base-disk.ts';
import { createFiles, launch, type MachineTools, prepareStart } from './launch.ts';
import { type MachineStatus, readMachine } from './list-machines.ts';
import { machineFolder } from './machine-files.ts';
import { type MachineRecord, writeMachineRecord } from './machine-record.ts';
import { checkMachineSpec, type MachineSpec } from './machine-spec.ts';
import { planMachine } from './plan-machine.ts';
import { choosePort } from './port.ts';

export interface StartOptions {
  /** The folder of machines; default: in this user's state directory. */
  readonly root?: string;
  /** Default: what this computer can do. */
  readonly accelerator?: Accelerator;
  /** Aborting it ends what was started and removes what was made. */
  readonly signal?: AbortSignal;
}

/**
 * startMachine starts a machine: made anew, or one that was stopped with the disk, firmware variables and TPM it had.
 * QEMU runs on after this process. When anything fails nothing runs and a new machine leaves nothing behind.
 *
 * @throws vm/bad-spec, vm/already-running, vm/disk-changed, vm/port-taken, vm/qemu-failed, vm/tpm-failed,
 *   host/locked when another command works on the same machine, cli/interrupted
 */
export async function startMachine(
  tools: MachineTools,
  spec: MachineSpec,
  options: StartOptions = {},
): Promise<MachineStatus> {
  checkMachineSpec(spec);
  const folder = machineFolder(spec.name, options.root);
  const accelerator = options.accelerator ?? (await detectAccelerator());
  return withLock(`${folder}.lock`, `start machine "${spec.name}"`, async () => {
    const existing = await readMachine(spec.name, options.root);
    if (existing?.state === 'running') {
      throw new PlinthError(
        'vm/already-running',
        `Cannot start machine "${spec.name}": it runs, expected it stopped`,
      );
    }
    const base = await identifyBase(spec.disk.path);
    if (existing) checkSameBase(spec.name, existing.record.base, base);
    const apiPort = await choosePort(spec.apiPort ?? 0);
    const kubernetes =
      spec.kubernetesPort === undefined ? {} : { kubernetesPort: await choosePort(spec.kubernetesPort) };
    const uuid = existing?.record.uuid ?? randomUUID();
    const plan = planMachine(spec, { folder, apiPort, uuid, ...kubernetes }, accelerator);
    try {
      if (!existing) {
        // A folder without a record is what an interrupted start left.
        await removeTree(folder);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await createFiles(tools, folder, plan, options.signal);
      }
      await prepareStart(folder, plan);
      const processes = await launch(tools, folder, plan, options.signal);
      const record: MachineRecord = {
        format: 1,
        name: spec.name,
        uuid,
        base,
        firmware: spec.firmware,
        accelerator: accelerator.kind,
        apiPort,
        ...kubernetes,
        ...(spec.onReboot === 'end' && { onReboot: spec.onReboot }),
        startedAt: new Date().toISOString(),
        ...processes,
      };
      await writeMachineRecord(folder, record);
      return { name: spec.name, folder, state: 'running', record };
    } catch (reason) {
      if (!existing) await removeTree(folder);
      throw reason;
    }
  });
}
