import type { CpioEntry } from '@plinth/formats';
import { IPE_POLICY_NAME } from '../ipe/ipe-policy.ts';

const UNIT = 'plinth-ipe-policy.service';
const UNITS = 'usr/lib/systemd/system';
/** Where the initrd has the signed policy. */
export const SIGNED_POLICY_PATH = `usr/lib/plinth/${IPE_POLICY_NAME}.p7b`;
const RULES = 'usr/lib/plinth/ipe-policy.conf';

/**
 * ipeLoading is what the initrd needs to hand the signed policy to PID 1 of the system, which loads what it finds in
 * /run/ipe before it starts anything, and ends the boot when the kernel refuses it (systemd, src/core/ipe-setup.c).
 * Not in /usr/lib/ipe, where PID 1 would look by itself: without Secure Boot the kernel has no key to check it with, and
 * no machine would boot. With Secure Boot a policy that cannot be handed over ends the boot too.
 */
export function ipeLoading(policy: Uint8Array): CpioEntry[] {
  const unit = [
    '[Unit]',
    'Description=Hand the signed policy of IPE to the system',
    'DefaultDependencies=no',
    'ConditionSecurity=uefi-secureboot',
    'Before=initrd.target initrd-switch-root.target',
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/usr/bin/systemd-tmpfiles --create /${RULES}`,
  ];
  const rules = [
    'd /run/ipe 0755 root root',
    `C /run/ipe/${IPE_POLICY_NAME}.p7b 0444 root root - /${SIGNED_POLICY_PATH}`,
  ];
  const text = (path: string, lines: readonly string[]): CpioEntry => ({
    ...{ kind: 'file', path, mode: 0o644 },
    data: Buffer.from(`${lines.join('\n')}\n`),
  });
  return [
    { kind: 'file', path: SIGNED_POLICY_PATH, mode: 0o444, data: policy },
    text(RULES, rules),
    text(`${UNITS}/${UNIT}`, unit),
    { kind: 'symlink', path: `${UNITS}/initrd.target.requires/${UNIT}`, target: `../${UNIT}` },
  ];
}
