import { SYSTEMD_RUN, transientUnit } from '../sys/transient-unit.ts';

export const SYSTEMD_CRYPTENROLL = '/usr/bin/systemd-cryptenroll';
/** The public key of the release that the firmware started, as its stub gave it to the initrd. */
export const POLICY_KEY = '/run/plinth/tpm2-pcr-public-key.pem';
/** The key that opens /var lies here while it is used, in memory, in a folder that only root enters. */
export const UNLOCK_KEY = '/run/plinth/var-key/unlock';
/** A fixed name: the service manager refuses a second one while it runs. */
const UNIT = 'plinth-var-reseal.service';
/** Some TPMs make a key for half a minute. */
export const RESEAL_SECONDS = 300;

/** It may write to the partition of /var and speak to the TPM; the crypto of the kernel is asked over a socket. */
const FENCE = [
  'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_IPC_LOCK',
  'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_ALG',
  'IPAddressDeny=any',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelTunables=yes',
  'UMask=0077',
  'MemoryMax=1G',
  'TasksMax=32',
  'DevicePolicy=closed',
  'DeviceAllow=/dev/tpmrm0 rw',
  'DeviceAllow=/dev/mapper/control rw',
  'DeviceAllow=block-device-mapper rw',
  // Where libcryptsetup locks a header.
  'RuntimeDirectory=cryptsetup',
  'RuntimeDirectoryMode=0700',
  'RuntimeDirectoryPreserve=yes',
] as const;

/** A program with its arguments. */
type Command = readonly [program: string, args: readonly string[]];

/**
 * enrolCommand makes a slot for the TPM of this machine, by the policy of the initrd (os/initrd/units/systemd-repart.service.d); the
 * other slots of a TPM go afterwards. A key that opens nothing ends it before all that. systemd-cryptenroll (257) makes none and
 * ends well where a slot has that policy already, of whatever TPM: that of a release key is the same for every TPM.
 * @param partition the partition of /var
 */
export function enrolCommand(partition: string): Command {
  return inUnit(partition, [
    ...[`--unlock-key-file=${UNLOCK_KEY}`, '--wipe-slot=tpm2', '--tpm2-device=auto', '--tpm2-pcrs='],
    ...[`--tpm2-public-key=${POLICY_KEY}`, '--tpm2-public-key-pcrs=11'],
  ]);
}

/** forgetCommand takes away the slots of every TPM. It asks for no key: only after one has proven to be good. */
export function forgetCommand(partition: string): Command {
  return inUnit(partition, ['--wipe-slot=tpm2']);
}

function inUnit(partition: string, args: readonly string[]): Command {
  return [
    SYSTEMD_RUN,
    transientUnit({
      unit: UNIT,
      description: 'Seal /var to the TPM',
      properties: [...FENCE, `DeviceAllow=${partition} rw`, `RuntimeMaxSec=${RESEAL_SECONDS}`],
      command: [SYSTEMD_CRYPTENROLL, ...args, partition],
    }),
  ];
}
