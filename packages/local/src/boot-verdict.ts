import type { ErrorCode } from '@plinth/base';

/** What one line of the console says about the boot as a whole. */
export type BootVerdict =
  | { readonly kind: 'ready'; readonly fingerprint: string }
  | { readonly kind: 'failed'; readonly code: BootFailureCode; readonly reason: string };

export type BootFailureCode = Extract<
  ErrorCode,
  'vm/firmware-refused' | 'vm/root-refused' | 'vm/kernel-panic' | 'vm/emergency' | 'vm/maintenance'
>;

/** Printed by plinthd when its API answers; the fingerprint is that of its certificate. */
const READY = /^plinth: api ready port=\d{1,5} fingerprint=(sha256:[0-9a-f]{64})$/;
const MAINTENANCE = /^plinth: maintenance: (.+)$/;

/**
 * Lines after which no healthy boot follows, with who prints them. The first that matches names the failure, so the
 * root is asked before the panic that a refused root ends in.
 */
const FAILURES: readonly (readonly [code: BootFailureCode, pattern: RegExp])[] = [
  // The UEFI boot manager, and systemd-boot when it starts what it has chosen.
  ['vm/firmware-refused', /BdsDxe: (failed to (load|start)|No bootable option)/],
  ['vm/firmware-refused', /@image_start: /],
  // dm-verity (drivers/md/dm-verity-*.c) and systemd-veritysetup(8). The root is the first device of the mapper; a signature
  // that is refused for another is that of a layer, and costs the boot nothing.
  [
    'vm/root-refused',
    /device-mapper: verity(-fec)?: .*(corrupted|failed)|device-mapper: (?!table: \d+:[1-9]).*verity.*(failed|cannot)/i,
  ],
  ['vm/root-refused', /dm-verity device corrupted|Failed to (set up|activate) verity device/i],
  ['vm/kernel-panic', /Kernel panic - not syncing/],
  ['vm/emergency', /You are in (emergency|rescue) mode|Entering (emergency|rescue) mode|Freezing execution/i],
];

/** judgeConsoleLine says what one line of the console, as `readLines` gives it, decides; undefined: nothing. */
export function judgeConsoleLine(line: string): BootVerdict | undefined {
  // Other writers share the console, so ours may follow a time stamp or the name of the service.
  const own = line.slice(Math.max(0, line.indexOf('plinth: ')));
  const fingerprint = READY.exec(own)?.[1];
  if (fingerprint) return { kind: 'ready', fingerprint };
  const maintenance = MAINTENANCE.exec(own)?.[1];
  if (maintenance) return { kind: 'failed', code: 'vm/maintenance', reason: maintenance };
  const failure = FAILURES.find(([, pattern]) => pattern.test(line));
  return failure && { kind: 'failed', code: failure[0], reason: line };
}
