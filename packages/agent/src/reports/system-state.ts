import type { Sys } from '../sys/sys.ts';
import { uptimeMs } from './boot-report.ts';
import { SYSTEMCTL } from './versions.ts';

/** A boot that takes longer is a fault of its own, and what does not run yet is then worth saying. */
const BOOT_LIMIT_MS = 300_000;

/** isStarting tells whether the boot is still under way: what is not up yet is then no fault. */
export async function isStarting(sys: Sys): Promise<boolean> {
  try {
    if ((await uptimeMs(sys)) > BOOT_LIMIT_MS) return false;
    const { stdout } = await sys.run(SYSTEMCTL, ['is-system-running']);
    return /^(initializing|starting)$/.test(stdout.trim());
  } catch {
    return false; // systemd does not answer: that is no boot under way, and the health checks say more
  }
}
