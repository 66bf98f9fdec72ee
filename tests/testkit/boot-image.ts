import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ApiEndpoint,
  type BootOutcome,
  consolePath,
  destroyMachine,
  type MachineSpec,
  type MachineStatus,
  startMachine,
  stopMachine,
  watchBoot,
} from '@plinth/local';
import { type BootLab, machineSpec } from './boot-lab.ts';
import { reportBoot } from './boot-report.ts';
import { slugOf } from './report-parts.ts';

/** A machine that booted, or was refused; destroyed at the end of the block it belongs to. */
export interface BootedImage extends AsyncDisposable {
  readonly spec: MachineSpec;
  readonly machine: MachineStatus;
  readonly outcome: BootOutcome;
  /** Everything on the console until the outcome, as plain lines. */
  readonly lines: readonly string[];
}

export interface BootOptions {
  /** What was done to the machine or its image, for the report. */
  readonly title: string;
  /** What is expected to come of it, for the report. */
  readonly expected: string;
  readonly spec?: Partial<MachineSpec>;
  readonly timeoutMs?: number;
}

/**
 * bootImage boots the image under test until its console decides the boot, and records the boot in the report.
 * @param name of the machine and of its files in the report; one boot of that name at a time
 */
export async function bootImage(lab: BootLab, name: string, options: BootOptions): Promise<BootedImage> {
  const spec = machineSpec(lab, name, options.spec);
  await destroyMachine(name, { root: lab.machinesRoot });
  return bootAgain(lab, spec, options);
}

/** bootAgain boots a machine that bootImage made and `shutDown` stopped: same disk, firmware variables and TPM. */
export async function bootAgain(lab: BootLab, spec: MachineSpec, options: BootOptions): Promise<BootedImage> {
  const { name } = spec;
  const { machinesRoot: root } = lab;
  const lines: string[] = [];
  const startedMs = performance.now();
  const machine = await startMachine(lab.toolbox, spec, { root });
  const booted = { spec, machine, lines, [Symbol.asyncDispose]: () => lab.endMachine(name) };
  try {
    const outcome = await watchBoot(machine, {
      onLine: (line) => lines.push(line),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    await reportBoot(lab.reportFolder, `${name}-${slugOf(options.title)}`, {
      title: options.title,
      expected: options.expected,
      outcome: outcome.kind === 'failed' ? outcome.code : outcome.kind,
      reason: reasonOf(outcome, lines),
      seconds: (performance.now() - startedMs) / 1000,
    });
    return { ...booted, outcome };
  } catch (reason) {
    await booted[Symbol.asyncDispose]();
    throw reason;
  } finally {
    await keepConsole(lab, name, options.title);
  }
}

/** endpointOf gives the API of a machine that came up, and fails with the end of its console when it did not. */
export function endpointOf({ machine, outcome, lines }: BootedImage): ApiEndpoint {
  assert.ok(outcome.kind === 'ready', `${JSON.stringify(outcome)} after:\n${lines.slice(-15).join('\n')}`);
  return { address: '127.0.0.1', port: machine.record.apiPort, fingerprint: outcome.fingerprint };
}

/** shutDown ends a machine as its power button does and keeps its disk. */
export async function shutDown(lab: BootLab, booted: BootedImage): Promise<string> {
  await lab.reportRefusals(booted.spec.name);
  return stopMachine(booted.spec.name, { root: lab.machinesRoot });
}

async function keepConsole(lab: BootLab, name: string, title: string): Promise<void> {
  const folder = join(lab.reportFolder, 'consoles');
  await mkdir(folder, { recursive: true });
  await copyFile(consolePath(name, lab.machinesRoot), join(folder, `${name}-${slugOf(title)}.log`));
}

function reasonOf(outcome: BootOutcome, lines: readonly string[]): string {
  if (outcome.kind === 'failed') return outcome.reason;
  return lines.at(-1) ?? 'nothing was printed';
}
