import { BootEndKind } from '@plinth/api';

/** How a boot ended, in the words of the API. */
export const bootEndKinds = {
  'first-boot': BootEndKind.FIRST_BOOT,
  reboot: BootEndKind.REBOOT,
  shutdown: BootEndKind.SHUTDOWN,
  orderly: BootEndKind.ORDERLY,
  'kernel-panic': BootEndKind.KERNEL_PANIC,
  watchdog: BootEndKind.WATCHDOG,
  abrupt: BootEndKind.ABRUPT,
  unknown: BootEndKind.UNKNOWN,
} as const;
