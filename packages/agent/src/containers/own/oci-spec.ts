import { seccompProfile } from './seccomp.ts';

/** A place of the node that a container sees. */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** What every container of ours says. */
export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly folder: string;
  readonly uid: number;
  readonly gid: number;
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** Bounds the kernel keeps. */
export interface ResourceLimits {
  readonly memoryBytes: number;
  readonly processes: number;
}

const MEBIBYTE = 1024 * 1024;
const STANDARD_DEVICES = [
  ...([
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
  ] as const),
].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }));
/** Pseudo terminals. */
const TERMINALS = { allow: true, type: 'c', major: 136, access: 'rwm' };

const MASKED = [
  ...['/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'],
  ...['/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/firmware'],
  '/sys/devices/virtual/powercap',
];
const KERNEL_READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** What the user 0 of a container may do to files and processes of its own, and nothing to the node. */
const OWN_CAPABILITIES = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'],
  ...['CAP_SETGID', 'CAP_SETPCAP', 'CAP_SETUID'],
];

/** Capabilities by their numbers, see capability.h of Linux 6.12. */
const CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...[
    'LINUX_IMMUTABLE',
    'NET_BIND_SERVICE',
    'NET_BROADCAST',
    'NET_ADMIN',
    'NET_RAW',
    'IPC_LOCK',
    'IPC_OWNER',
  ],
  ...[
    'SYS_MODULE',
    'SYS_RAWIO',
    'SYS_CHROOT',
    'SYS_PTRACE',
    'SYS_PACCT',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_NICE',
  ],
  ...[
    'SYS_RESOURCE',
    'SYS_TIME',
    'SYS_TTY_CONFIG',
    'MKNOD',
    'LEASE',
    'AUDIT_WRITE',
    'AUDIT_CONTROL',
    'SETFCAP',
  ],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
] as const;

/**
 * capabilitiesOf reads which capabilities a process may hold at most. No container can be given more than its runtime has.
 * @param status /proc/PID/status
 */
export function capabilitiesOf(status: string): readonly string[] {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1] ?? '0'}`);
  return CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map((name) => `CAP_${name}`);
}

/** Places that every container has of its own. */
const OWN_MOUNTS: readonly MountSpec[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  memory('/dev/shm', 'mode=1777', 64),
  memory('/tmp', 'mode=1777', 64),
];

/** An OCI runtime specification (config.md), as far as ours go. */
export type OciSpec = ReturnType<typeof plainSpec> | ReturnType<typeof fullSpec>;

/**
 * bootstrapSpec is a container beside the node: its own processes and files, the node's network, because there is no pod
 * network yet, and what is mounted. Pure.
 */
export function bootstrapSpec(process: ProcessSpec, mounts: readonly BindMount[], limits: ResourceLimits) {
  return plainSpec(process, {
    limits,
    capabilities: OWN_CAPABILITIES,
    namespaces: ['pid', 'mount', 'ipc', 'uts', 'cgroup'],
    rootReadOnly: false,
    mounts: mounts.map(bind),
  });
}

/**
 * viewSpec looks at the node and can change nothing: all its file systems, read-only down to the last mount, its processes
 * and its network, for a user that owns nothing, without one capability. What only root may read, such as keys, it may not.
 * Pure. @param groups of the node whose files it may read besides
 */
export function viewSpec(process: ProcessSpec, groups: readonly number[], limits: ResourceLimits) {
  return plainSpec(process, {
    limits,
    groups,
    capabilities: [],
    namespaces: ['mount', 'ipc', 'uts'],
    rootReadOnly: true,
    mounts: [
      {
        destination: '/host',
        type: 'bind',
        source: '/',
        // "ro" binds the first mount only: /var would stay writable.
        options: ['rbind', 'rprivate', 'rro', 'rnosuid', 'rnodev'],
      },
    ],
  });
}

/** One mount, in the words of the OCI runtime specification. */
interface MountSpec {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

interface PlainOptions {
  readonly limits: ResourceLimits;
  readonly groups?: readonly number[];
  readonly capabilities: readonly string[];
  readonly namespaces: readonly string[];
  readonly rootReadOnly: boolean;
  readonly mounts: readonly MountSpec[];
}

function plainSpec(process: ProcessSpec, options: PlainOptions) {
  const { limits, groups = [], capabilities, namespaces, rootReadOnly, mounts } = options;
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', readonly: rootReadOnly },
    process: {
      ...processOf(process, groups),
      noNewPrivileges: true,
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        inheritable: [],
        ambient: [],
      },
      oomScoreAdj: 500,
    },
    mounts: [
      ...OWN_MOUNTS,
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ...mounts,
    ],
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: KERNEL_READ_ONLY,
      seccomp: seccompProfile(),
      resources: {
        ...resourcesOf(limits),
        devices: [{ allow: false, access: 'rwm' }, ...STANDARD_DEVICES, TERMINALS],
      },
    },
  };
}

/**
 * fullSpec is root of the node with tools of its own: nothing is kept from it. The node's files are at /host. Pure.
 * @param all the capabilities there are
 */
export function fullSpec(process: ProcessSpec, all: readonly string[], limits: ResourceLimits) {
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', readonly: false },
    process: {
      ...processOf({ ...process, uid: 0, gid: 0 }, []),
      noNewPrivileges: false,
      capabilities: { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] },
      oomScoreAdj: 0,
    },
    mounts: [
      // A terminal of its own: the runtime makes nodes and mounts in /dev. Those of the node are at /host/dev.
      ...OWN_MOUNTS,
      { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'rslave', 'rw'] },
      { destination: '/host', type: 'bind', source: '/', options: ['rbind', 'rslave', 'rw'] },
    ],
    linux: {
      // Of its own it has only its view of the file systems.
      namespaces: [{ type: 'mount' }],
      maskedPaths: [],
      readonlyPaths: [],
      resources: { ...resourcesOf(limits), devices: [{ allow: true, access: 'rwm' }] },
    },
  };
}

function processOf(
  { args, env, folder, uid, gid, terminal }: ProcessSpec,
  additionalGids: readonly number[],
) {
  return {
    terminal: terminal !== undefined,
    ...(terminal && { consoleSize: { height: terminal.rows, width: terminal.columns } }),
    args,
    env,
    cwd: folder,
    user: { uid, gid, additionalGids },
  };
}

function resourcesOf({ memoryBytes, processes }: ResourceLimits) {
  return { memory: { limit: memoryBytes }, pids: { limit: processes } };
}

function memory(destination: string, mode: string, sizeMebibytes: number): MountSpec {
  const options = ['nosuid', 'nodev', mode, `size=${sizeMebibytes * MEBIBYTE}`];
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

function bind({ source, target, readOnly }: BindMount): MountSpec {
  const access = readOnly ? 'rro' : 'rw';
  return {
    destination: target,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', access, 'nosuid', 'nodev'],
  };
}
