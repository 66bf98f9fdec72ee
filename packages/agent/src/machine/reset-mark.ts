import { open } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { efiVariablePath } from '../kernel/efi-variable.ts';
import { errorCode, hasCode } from '../sys/sys.ts';

/** Vendor of the variables of systemd itself (systemd, sd-id128 of EFI_VENDOR_SYSTEMD). */
const SYSTEMD_VENDOR = '8cf2644b-4b0b-428f-9387-6d876050dc67';
/** systemd-repart looks for it in the initrd, removes partitions with FactoryReset=yes, and then takes it away. */
export const RESET_MARK = efiVariablePath('FactoryReset', SYSTEMD_VENDOR);
/** Takes the mark away: efivarfs makes it immutable, and plinthd lacks CAP_LINUX_IMMUTABLE. */
export const RESET_SETTLE_UNIT = 'plinth-reset-settle.service';
const SETTLE_LIMIT_MS = 30_000;

/** Asks the next start for a new /var. It is in the firmware: a power cut takes nothing back. */
export interface ResetMark {
  /** @throws machine/reset-unsupported */
  set(): Promise<void>;
  /** Takes it back, also when it is not set. */
  clear(): Promise<void>;
}

/** resetMarkBytes is the variable: four bytes of attributes (kept, seen at boot and at run time), then "yes" in UTF-16. */
export function resetMarkBytes(): Buffer {
  return Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from('yes\0', 'utf16le')]);
}

/** efiResetMark is the mark that systemd-repart obeys. */
export function efiResetMark(
  restartUnit: (unit: string, timeoutMs: number) => Promise<void>,
  path: string = RESET_MARK,
): ResetMark {
  return {
    async set() {
      try {
        const file = await open(path, 'wx', 0o600);
        try {
          // efivarfs takes a variable in one write only.
          await file.write(resetMarkBytes());
        } finally {
          await file.close();
        }
      } catch (reason) {
        if (hasCode(reason, 'EEXIST')) return;
        throw new PlinthError(
          'machine/reset-unsupported',
          `Cannot reset the node: its firmware keeps no variable (${errorCode(reason) || reason}), expected UEFI with variables`,
        );
      }
    },
    clear: () => restartUnit(RESET_SETTLE_UNIT, SETTLE_LIMIT_MS),
  };
}
