import { PlinthError } from '@plinth/base';
import { type BootVerdict, judgeConsoleLine } from './boot-verdict.ts';
import { followConsoleLines } from './console.ts';
import type { MachineStatus } from './list-machines.ts';
import { resetMachine, stalledTimers } from './stalled-timers.ts';

/** Where the API of a machine is, and the certificate that must be found there. */
export interface ApiEndpoint {
  readonly address: '127.0.0.1';
  readonly port: number;
  readonly fingerprint: string;
}

/** How a boot ended, as far as its console tells. */
export type BootOutcome = BootVerdict | { readonly kind: 'ended' } | { readonly kind: 'timed-out' };

export interface WatchOptions {
  /** Default: what a boot may take with the machine's accelerator. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

const BOOT_TIMEOUT_MS = { kvm: 90_000, tcg: 420_000 } as const;

/**
 * watchBoot reads the console until it decides the boot, the machine ends, or the time is over. A machine whose emulated timers stand
 * still is reset, once.
 * @throws cli/interrupted when the signal is aborted; vm/monitor
 */
export async function watchBoot(machine: MachineStatus, options: WatchOptions = {}): Promise<BootOutcome> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? BOOT_TIMEOUT_MS[machine.record.accelerator]);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const standsStill = machine.record.accelerator === 'tcg' ? stalledTimers() : () => false;
  for await (const line of followConsoleLines(machine, signal)) {
    options.onLine?.(line);
    if (standsStill(line)) await resetMachine(machine);
    const verdict = judgeConsoleLine(line);
    if (verdict) return verdict;
  }
  if (options.signal?.aborted) {
    throw new PlinthError('cli/interrupted', `Cannot wait for machine "${machine.name}": interrupted`);
  }
  return timeout.aborted ? { kind: 'timed-out' } : { kind: 'ended' };
}

/**
 * waitForApi waits until the node in the machine says that its API answers.
 * @throws vm/firmware-refused, vm/root-refused, vm/kernel-panic, vm/emergency, vm/maintenance as soon as the console
 *   says so; vm/ended, vm/api-timeout, cli/interrupted
 */
export async function waitForApi(machine: MachineStatus, options: WatchOptions = {}): Promise<ApiEndpoint> {
  const outcome = await watchBoot(machine, options);
  const what = `Cannot reach the API of machine "${machine.name}"`;
  switch (outcome.kind) {
    case 'ready':
      return { address: '127.0.0.1', port: machine.record.apiPort, fingerprint: outcome.fingerprint };
    case 'failed':
      throw new PlinthError(outcome.code, `${what}: ${outcome.reason}`);
    case 'ended':
      throw new PlinthError('vm/ended', `${what}: the machine ended, expected it to boot`);
    case 'timed-out':
      throw new PlinthError(
        'vm/api-timeout',
        `${what}: no answer in time, expected "api ready" on its console`,
      );
  }
}
