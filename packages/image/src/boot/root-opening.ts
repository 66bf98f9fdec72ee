import { type CpioEntry, hexUuid } from '@plinth/formats';

/** Where the initrd finds the signature of the root hash. */
export const SIGNATURE_PATH = 'etc/verity/root.p7s';

const UNITS = 'usr/lib/systemd/system';

/**
 * rootOpening is the small archive beside the initrd that knows this image's root hash: its signature, and the way the root
 * is opened where the firmware offers no key to check it with. With Secure Boot the kernel checks the signature and refuses
 * the root otherwise; without it the root is opened by its hash alone, and the agent reports the lower posture.
 * The partitions of the slot become read-only in the kernel before anything of the system runs.
 * @param label of the slot's root partition; those of its hash tree and signature begin with it
 */
export function rootOpening(
  rootHash: string,
  signature: Uint8Array,
  options: readonly string[],
  label: string,
): CpioEntry[] {
  const partition = (half: string) => `/dev/disk/by-partuuid/${hexUuid(half)}`;
  const unit = (path: string, lines: readonly string[]): CpioEntry => ({
    kind: 'file',
    path: `${UNITS}/${path}`,
    mode: 0o644,
    data: Buffer.from(`${lines.join('\n')}\n`),
  });
  const data = partition(rootHash.slice(0, 32));
  const tree = partition(rootHash.slice(32));
  const signatures = `/dev/disk/by-partlabel/${label}_sig`;
  return [
    { kind: 'file', path: SIGNATURE_PATH, mode: 0o444, data: signature },
    unit('systemd-veritysetup@root.service.d/50-plinth.conf', [
      '[Unit]',
      'ConditionSecurity=uefi-secureboot',
    ]),
    unit('plinth-root-unsigned.service', [
      '[Unit]',
      'Description=Open the root by its hash alone, because there is no Secure Boot',
      'DefaultDependencies=no',
      'ConditionSecurity=!uefi-secureboot',
      ...[data, tree].map((path) => `BindsTo=${deviceUnit(path)}`),
      ...[data, tree].map((path) => `After=${deviceUnit(path)}`),
      'After=veritysetup-pre.target',
      'Before=veritysetup.target',
      '',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=/usr/lib/systemd/systemd-veritysetup attach root ${data} ${tree} ${rootHash} ${options.join(',')}`,
    ]),
    {
      kind: 'symlink',
      path: `${UNITS}/veritysetup.target.requires/plinth-root-unsigned.service`,
      target: '../plinth-root-unsigned.service',
    },
    unit('plinth-root-read-only.service', [
      '[Unit]',
      'Description=Make the partitions of the booted slot read-only',
      'DefaultDependencies=no',
      ...[data, tree].map((path) => `Requires=${deviceUnit(path)}`),
      // No boot reads the signatures: one without them comes up, and says so.
      `Wants=${deviceUnit(signatures)}`,
      ...[data, tree, signatures].map((path) => `After=${deviceUnit(path)}`),
      'Before=initrd-root-device.target',
      '',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=/usr/sbin/blockdev --setro ${data} ${tree}`,
      `ExecStart=-/usr/sbin/blockdev --setro ${signatures}`,
    ]),
    {
      kind: 'symlink',
      path: `${UNITS}/initrd-root-device.target.wants/plinth-root-read-only.service`,
      target: '../plinth-root-read-only.service',
    },
  ];
}

/** The unit of a device node: "/" becomes "-", "-" is escaped (systemd.unit(5), "String Escaping for Inclusion in Unit Names"). */
function deviceUnit(path: string): string {
  return `${path.slice(1).replaceAll('-', '\\x2d').replaceAll('/', '-')}.device`;
}
