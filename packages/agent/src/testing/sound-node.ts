import type { FakeMachine } from './fake-sys.ts';

export const ROOT_HASH = '4f'.repeat(32);
const EFI = '/sys/firmware/efi/efivars';
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const LOADER = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

const IPE_POLICY =
  'policy_name=plinth policy_version=0.1.0\nDEFAULT action=DENY\nDEFAULT op=EXECUTE action=ALLOW\n';
/** Bit 33, CAP_MAC_ADMIN, is off in all of them. */
export const PID_1_STATUS = ['Inh:\t0000000000000000', 'Prm:\t000001fdffffffff', 'Eff:\t000001fdffffffff']
  .concat('Bnd:\t000001fdffffffff', 'Amb:\t0000000000000000')
  .map((line) => `Cap${line}\n`)
  .join('');

/** An EFI variable as efivarfs shows it: four bytes of attributes, then the value. */
export function efiVariable(value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([6, 0, 0, 0]), value]);
}

/** Mounts of a node in the shape systemd 257 leaves them, a running pod among them. */
export const SOUND_MOUNTS = `24 1 253:0 / / ro,relatime shared:1 - erofs /dev/mapper/root ro,user_xattr,acl,cache_strategy=readaround
25 24 0:23 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
26 24 0:24 / /sys rw,nosuid,nodev,noexec,relatime shared:5 - sysfs sysfs rw
27 26 0:7 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:6 - securityfs securityfs rw
28 26 0:21 / /sys/fs/selinux rw,nosuid,noexec,relatime shared:7 - selinuxfs selinuxfs rw
29 26 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:8 - cgroup2 cgroup2 rw,nsdelegate
30 26 0:28 / /sys/firmware/efi/efivars rw,nosuid,nodev,noexec,relatime shared:9 - efivarfs efivarfs rw
31 24 0:6 / /dev rw,nosuid shared:2 - devtmpfs devtmpfs rw,size=996984k,mode=755
32 31 0:25 / /dev/shm rw,nosuid,nodev shared:3 - tmpfs tmpfs rw
33 31 0:22 / /dev/pts rw,nosuid,noexec,relatime shared:4 - devpts devpts rw,gid=5,mode=620
34 24 0:27 / /run rw,nosuid,nodev shared:11 - tmpfs tmpfs rw,size=401632k,mode=755
35 24 0:30 / /etc rw,nosuid,nodev,relatime shared:13 - overlay overlay rw,lowerdir=/sysroot/etc,upperdir=/run/plinth/etc/upper
36 24 253:1 / /var rw,nosuid,nodev,noexec,relatime shared:14 - ext4 /dev/mapper/var rw
37 24 0:33 / /tmp rw,nosuid,nodev,noexec shared:15 - tmpfs tmpfs rw,size=20%
43 36 0:35 / /var/tmp rw,nosuid,nodev,noexec shared:21 - tmpfs tmpfs rw,size=20%
38 24 0:34 / /efi rw,relatime shared:16 - autofs systemd-1 rw,fd=51
39 38 254:1 / /efi rw,nosuid,nodev,noexec,relatime shared:17 - vfat /dev/vda1 rw,umask=0077
40 34 0:40 / /run/credentials/systemd-journald.service ro,nosuid,nodev,noexec,relatime,nosymfollow shared:18 - tmpfs none rw,size=1024k
41 34 0:41 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/rootfs rw,relatime shared:19 - overlay overlay rw
`;

/** systemSays gives the answers of systemctl on a node that has booted. */
const PROGRAMS = {
  '/usr/sbin/dmsetup table root': `0 221184 verity 1 254:2 254:3 4096 4096 27648 1 sha256 ${ROOT_HASH} ${'aa'.repeat(32)} 3 panic_on_corruption root_hash_sig_key_desc cryptsetup:plinth-root\n`,
  '/usr/sbin/dmsetup status root': '0 221184 verity V\n',
  '/usr/sbin/dmsetup table var':
    '0 4128768 crypt aes-xts-plain64 :64:logon:cryptsetup:0b1f2c3d-d0 0 254:8 32768 1 sector_size:4096\n',
  '/usr/bin/mount -o remount,rw /': {
    exitCode: 32,
    stdout: '',
    stderr: 'mount: /: cannot remount /dev/mapper/root read-write, is write-protected.\n',
  },
  '/usr/bin/systemctl is-system-running': 'running\n',
  '/usr/bin/systemctl list-units --state=failed --plain --no-legend --no-pager --full': '',
  '/usr/bin/systemctl show --no-pager --property=LoadState,ActiveState,SubState containerd.service':
    'LoadState=loaded\nActiveState=active\nSubState=running\n',
  '/usr/bin/systemctl show --no-pager --property=FirmwareTimestampMonotonic,LoaderTimestampMonotonic,InitRDTimestampMonotonic,UserspaceTimestampMonotonic,FinishTimestampMonotonic':
    'FirmwareTimestampMonotonic=9000000\nLoaderTimestampMonotonic=2500000\nInitRDTimestampMonotonic=3100000\nUserspaceTimestampMonotonic=9600000\nFinishTimestampMonotonic=23300000\n',
  '/usr/bin/systemctl show --no-pager --property=Id,InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic -- *.service *.mount *.swap':
    'Id=containerd.service\nInactiveExitTimestampMonotonic=12000000\nActiveEnterTimestampMonotonic=20500000\n\nId=dbus.service\nInactiveExitTimestampMonotonic=11000000\nActiveEnterTimestampMonotonic=11400000\n\nId=never.service\nInactiveExitTimestampMonotonic=0\nActiveEnterTimestampMonotonic=0\n',
  '/usr/bin/systemctl --version': 'systemd 257 (257.13-1~deb13u1)\n+PAM +AUDIT\n',
  '/usr/bin/containerd --version':
    'containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1\n',
} as const;

function partition(device: string, minor: number, label: string, type: string, sectors: number) {
  return {
    [`/sys/class/block/${device}/uevent`]: `MAJOR=254\nMINOR=${minor}\nDEVNAME=${device}\nDEVTYPE=partition\nPARTN=${minor}\nPARTNAME=${label}\n`,
    [`/sys/class/block/${device}/size`]: `${sectors}\n`,
    [`/run/udev/data/b254:${minor}`]: `S:disk/by-partlabel/${label}\nE:ID_PART_ENTRY_UUID=0000000${minor}-0000-4000-8000-000000000000\nE:ID_PART_ENTRY_TYPE=${type}\n`,
  };
}

/** soundNode is a healthy node with an empty second slot, as a machine for fakeSys. */
export function soundNode(): Required<Pick<FakeMachine, 'files' | 'programs'>> & FakeMachine {
  const pcrs = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [
      `/sys/class/tpm/tpm0/pcr-sha256/${index}`,
      `${(index + 1).toString(16).padStart(2, '0').repeat(32).toUpperCase()}\n`,
    ]),
  );
  return {
    hostName: 'node-1',
    addresses: ['10.0.2.15'],
    modifiedAtMs: { '/usr/lib/os-release': Date.UTC(2026, 10, 1) },
    programs: PROGRAMS,
    files: {
      ...pcrs,
      '/proc/1/mountinfo': SOUND_MOUNTS,
      '/proc/1/cmdline': '/usr/lib/systemd/systemd\0',
      '/proc/1/attr/current': 'system_u:system_r:init_t:s0\0',
      // A thread of the kernel: no command line.
      '/proc/2/cmdline': '',
      '/proc/2/attr/current': 'system_u:system_r:kernel_t:s0\0',
      '/proc/cmdline': `root=/dev/mapper/root ro plinth.encrypt_var=tpm2 roothash=${ROOT_HASH} lsm=x\n`,
      '/proc/net/tcp': '   0: 3500007F:0035 00000000:0000 0A\n',
      '/proc/net/tcp6': `   0: ${'0'.repeat(32)}:1D7A ${'0'.repeat(32)}:0000 0A\n`,
      '/proc/net/udp': '   0: 0F02000A:0044 00000000:0000 07\n',
      '/proc/net/udp6': '',
      '/proc/uptime': '120.50 200.00\n',
      '/proc/meminfo':
        'MemTotal:        2030000 kB\nMemFree:          100000 kB\nMemAvailable:    1500000 kB\n',
      '/proc/pressure/memory':
        'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
      '/proc/pressure/io': 'full avg10=0.00 avg60=0.00 avg300=1.20 total=0\n',
      '/proc/swaps': 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
      '/proc/loadavg': '0.10 0.20 0.10 1/230 4711\n',
      '/proc/sys/kernel/threads-max': '15000\n',
      '/proc/sys/kernel/pid_max': '4194304\n',
      '/sys/fs/ext4/dm-1/errors_count': '0\n',
      '/proc/sys/kernel/tainted': '0\n',
      '/proc/sys/kernel/osrelease': '6.12.107+deb13-cloud-amd64\n',
      '/proc/sys/kernel/version': '#1 SMP PREEMPT_DYNAMIC Debian 6.12.107-1 (2026-11-01)\n',
      '/proc/sys/kernel/arch': 'x86_64\n',
      '/proc/sys/kernel/random/boot_id': '0d0c5a0e-1b1f-4c43-9d55-0c0b1f0a2f11\n',
      '/etc/machine-id': 'c0ffee00c0ffee00c0ffee00c0ffee00\n',
      '/usr/lib/os-release':
        'ID=plinth\nIMAGE_ID=plinth\nIMAGE_VERSION=0.1.0\nPRETTY_NAME="Plinth 0.1.0"\nSUPPORT_END=2027-11-30\n',
      '/run/plinth/root.p7s': 'signature',
      '/dev/vda4': `${JSON.stringify({ rootHash: ROOT_HASH, signature: Buffer.from('signature').toString('base64') })}\0\0`,
      '/sys/dev/block/253:0/dm/name': 'root\n',
      '/sys/dev/block/253:1/dm/name': 'var\n',
      '/sys/dev/block/253:1/dm/uuid': 'CRYPT-LUKS2-0b1f2c3d4e5f46708192a3b4c5d6e7f8-var\n',
      '/sys/dev/block/253:1/uevent': 'MAJOR=253\nMINOR=1\nDEVNAME=dm-1\nDEVTYPE=disk\n',
      '/sys/dev/block/253:0/slaves/vda2/dev': '254:2\n',
      '/sys/dev/block/253:0/slaves/vda3/dev': '254:3\n',
      '/sys/module/dm_verity/parameters/require_signatures': 'N\n',
      '/sys/module/module/parameters/sig_enforce': 'Y\n',
      '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
      '/sys/kernel/security/lsm': 'capability,landlock,lockdown,yama,loadpin,safesetid,selinux,bpf,ipe\n',
      '/sys/kernel/security/ipe/enforce': '1\n',
      '/sys/kernel/security/ipe/policies/plinth/active': '1\n',
      '/sys/kernel/security/ipe/policies/plinth/policy': IPE_POLICY,
      '/sys/kernel/security/ipe/policies/plinth/version': '0.1.0\n',
      '/usr/lib/plinth/ipe.policy': IPE_POLICY,
      '/proc/1/status': PID_1_STATUS,
      '/sys/fs/selinux/enforce': '1',
      [`${EFI}/SecureBoot-${GLOBAL}`]: efiVariable(Uint8Array.of(1)),
      [`${EFI}/SetupMode-${GLOBAL}`]: efiVariable(Uint8Array.of(0)),
      [`${EFI}/LoaderEntrySelected-${LOADER}`]: efiVariable(Buffer.from('plinth_0.1.0+2-1.efi\0', 'utf16le')),
      '/efi/EFI/Linux/plinth_0.1.0.efi': '',
      '/efi/EFI/Linux/plinth_0.2.0+0-3.efi': '',
      '/sys/class/block/vda/uevent': 'MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n',
      ...partition('vda1', 1, 'esp', 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', 262144),
      ...partition('vda2', 2, 'plinth_0.1.0', '4f68bce3-e8cd-4db1-96e7-fbcaf984b709', 524288),
      ...partition('vda3', 3, 'plinth_0.1.0_verity', '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5', 8192),
      ...partition('vda4', 4, 'plinth_0.1.0_verity_sig', '41092b05-9fc8-4523-994f-2def0408b176', 32),
      ...partition('vda5', 5, '_empty', '4f68bce3-e8cd-4db1-96e7-fbcaf984b709', 524288),
      ...partition('vda6', 6, '_empty', '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5', 8192),
      ...partition('vda7', 7, '_empty', '41092b05-9fc8-4523-994f-2def0408b176', 32),
      ...partition('vda8', 8, 'var', '4d21b016-b534-45c2-a9fb-5c16e091fd2d', 2097152),
    },
  };
}
