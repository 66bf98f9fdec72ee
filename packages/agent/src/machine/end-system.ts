import { PlinthError } from '@plinth/base';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { Sys } from '../sys/sys.ts';

/** Ends the system in good order. */
export type EndSystem = (how: 'reboot' | 'poweroff' | 'soft-reboot') => Promise<void>;

/**
 * systemEnd asks logind, which lets the kubelet end its pods first (its inhibitor lock), or PID 1 where there is no logind.
 * plinthd itself may not reboot: it lacks CAP_SYS_BOOT and asks as root. Returns once the end is queued. A soft-reboot is not for logind
 * to announce: the kubelet would end its pods, which are to live on.
 */
export function systemEnd(sys: Pick<Sys, 'run'>): EndSystem {
  return async (how) => {
    const args =
      how === 'soft-reboot'
        ? ['--no-block', '--job-mode=replace-irreversibly', 'start', 'soft-reboot.target']
        : ['--no-block', '--no-wall', '--check-inhibitors=no', how];
    const { exitCode, stderr } = await sys.run(SYSTEMCTL, args, { timeoutMs: 60_000 });
    if (exitCode === 0) return;
    throw new PlinthError(
      'machine/act-failed',
      `Cannot end the system: systemctl ${how} ended with ${exitCode}: ${stderr.trim().slice(0, 300)}`,
    );
  };
}
