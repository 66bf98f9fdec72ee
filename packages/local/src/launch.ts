import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import {
  endProcess,
  exists,
  identifyProcess,
  isErrno,
  type ProcessIdentity,
  writeFileAtomic,
} from '@plinth/host';
import type { SandboxOptions, Toolbox } from '@plinth/toolbox';
import { type DetachedProcess, startDetached, waitUntilReady } from './detached-process.ts';
import { lastLogLine } from './list-machines.ts';
import { machineFiles as files } from './machine-files.ts';
import { withMonitor } from './monitor.ts';
import { INSIDE, type MachinePlan, type ToolCommand } from './plan-machine.ts';

/** Time for a program to open its socket; generous, because a busy computer starts QEMU slowly. */
const SOCKET_TIMEOUT_MS = 60_000;
const END_GRACE_MS = 2_000;

/** What of a toolbox machines need. */
export type MachineTools = Pick<Toolbox, 'run' | 'command'>;

export interface MachineProcesses {
  readonly qemu: ProcessIdentity;
  readonly tpm?: ProcessIdentity;
}

/** createFiles makes what a new machine has once: its disk and firmware variables. */
export async function createFiles(
  tools: MachineTools,
  folder: string,
  plan: MachinePlan,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(join(folder, files.tpmState), { recursive: true, mode: 0o700 });
  for (const { program, args } of plan.creation) {
    await tools.run(program, args, { ...sandboxOptions(plan), ...(signal && { signal }) });
  }
}

/** prepareStart writes what is new at each start and clears what the run before left. */
export async function prepareStart(folder: string, plan: MachinePlan): Promise<void> {
  for (const name of [files.consoleSocket, files.monitorSocket, files.tpmSocket, files.qemuPid]) {
    await rm(join(folder, name), { force: true });
  }
  await rename(join(folder, files.console), join(folder, files.consoleOfRunBefore)).catch((reason) => {
    if (!isErrno(reason, 'ENOENT')) throw reason;
  });
  for (const { name, text } of plan.textFiles) await writeFileAtomic(join(folder, name), text, 0o600);
}

/**
 * launch starts the TPM and QEMU and returns when QEMU answers on its monitor. On failure neither runs.
 * @throws vm/tpm-failed, vm/qemu-failed, vm/port-taken, cli/interrupted
 */
export async function launch(
  tools: MachineTools,
  folder: string,
  plan: MachinePlan,
  signal?: AbortSignal,
): Promise<MachineProcesses> {
  const started: DetachedProcess[] = [];
  const start = async (command: ToolCommand, logName: string) => {
    const { program, args, env } = tools.command(command.program, command.args, sandboxOptions(plan));
    const process = await startDetached(program, args, { env, logPath: join(folder, logName) });
    started.push(process);
    return process;
  };
  try {
    const tpm = plan.tpm && (await start(plan.tpm, files.tpmLog));
    if (tpm) await awaitTpm(tpm, folder, signal);
    const qemu = await start(plan.qemu, files.qemuLog);
    await awaitQemu(qemu, folder, signal);
    return { qemu: await ownIdentity(folder), ...(tpm && { tpm: tpm.identity }) };
  } catch (reason) {
    await Promise.all(started.map(({ identity }) => endProcess(identity, END_GRACE_MS)));
    throw reason;
  }
}

function sandboxOptions(plan: MachinePlan): SandboxOptions {
  // User-mode networking opens sockets of this computer, so QEMU shares its network.
  return { binds: plan.binds, cwd: INSIDE, network: true, devKvm: plan.devKvm };
}

/** QEMU itself, not the sandbox around it: the one whose end is the end of the machine. */
async function ownIdentity(folder: string): Promise<ProcessIdentity> {
  const pid = Number((await readFile(join(folder, files.qemuPid), 'utf8')).trim());
  const identity = Number.isSafeInteger(pid) && pid > 1 ? await identifyProcess(pid) : undefined;
  if (identity) return identity;
  throw new PlinthError(
    'vm/qemu-failed',
    'Cannot start QEMU: it ended as soon as it ran, expected it to stay',
  );
}

async function awaitTpm(tpm: DetachedProcess, folder: string, signal?: AbortSignal): Promise<void> {
  const hasSocket = () => exists(join(folder, files.tpmSocket));
  if (await waitUntilReady(tpm, hasSocket, SOCKET_TIMEOUT_MS, signal)) return;
  const line = await lastLogLine(folder, files.tpmLog);
  throw new PlinthError(
    'vm/tpm-failed',
    `Cannot start the virtual TPM: ${line ?? 'it did not open its socket'}`,
  );
}

async function awaitQemu(qemu: DetachedProcess, folder: string, signal?: AbortSignal): Promise<void> {
  // Its sockets appear before it listens on them, and it listens before it has set up everything: only an answer counts.
  const answers = () =>
    withMonitor(folder, files.monitorSocket, SOCKET_TIMEOUT_MS, (monitor) =>
      monitor.execute('query-status'),
    ).then(
      () => true,
      () => false,
    );
  if (await waitUntilReady(qemu, answers, SOCKET_TIMEOUT_MS, signal)) return;
  const line = (await lastLogLine(folder, files.qemuLog)) ?? 'it did not answer on its monitor';
  // The port was free when it was chosen; another program may have been faster.
  const code = line.includes('host forwarding rule') ? 'vm/port-taken' : 'vm/qemu-failed';
  throw new PlinthError(code, `Cannot start QEMU: ${line}`);
}
