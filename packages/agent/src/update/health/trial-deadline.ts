import { PlinthError } from '@plinth/base';
import { SYSTEMCTL } from '../../reports/versions.ts';
import type { Sys } from '../../sys/sys.ts';
import { SYSTEMD_RUN } from '../../sys/transient-unit.ts';

/** Of the image: reboots a boot on trial in which plinthd came to nothing. */
const STATIC_TIMER = 'plinth-trial-deadline.timer';
/** Made by plinthd with the deadline of the machine config. */
const ARMED_UNIT = 'plinth-trial-armed';
/** plinthd itself is faster, and says why. */
const MARGIN_MS = 30_000;

/** The reboot that comes when nobody says that a boot on trial is healthy, plinthd itself included: systemd does it. */
export interface TrialDeadline {
  /** Sets the time since the start of the kernel; once set it stays for this boot. @throws update/step-failed */
  arm(deadlineMs: number): Promise<void>;
  /** The boot is proven, or there is nothing to go back to. Never throws. */
  disarm(): Promise<void>;
}

/** trialDeadline asks the service manager. */
export function trialDeadline(sys: Pick<Sys, 'run'>): TrialDeadline {
  return {
    async arm(deadlineMs) {
      const seconds = Math.ceil((deadlineMs + MARGIN_MS) / 1000);
      const { exitCode, stderr } = await sys.run(SYSTEMD_RUN, [
        ...['--quiet', `--unit=${ARMED_UNIT}`, `--on-boot=${seconds}s`, '--timer-property=AccuracySec=1s'],
        '--description=Reboot: the version on trial was not healthy in time',
        ...[SYSTEMCTL, '--no-block', '--no-wall', '--check-inhibitors=no', 'reboot'],
      ]);
      // An earlier plinthd of this boot has set it.
      if (exitCode !== 0 && !/already (loaded|exists)|was already/i.test(stderr))
        throw new PlinthError(
          'update/step-failed',
          `Cannot set the deadline of the trial: systemd-run ended with ${exitCode}: ${stderr.trim().slice(0, 200)}`,
        );
      await sys.run(SYSTEMCTL, ['stop', '--no-block', STATIC_TIMER]);
    },
    async disarm() {
      for (const unit of [STATIC_TIMER, `${ARMED_UNIT}.timer`])
        await sys.run(SYSTEMCTL, ['stop', '--no-block', unit]).catch(() => {});
    },
  };
}
