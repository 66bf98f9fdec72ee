import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentProgress } from '@plinth/base';
import { goComponentSource, writeOciArchive } from '@plinth/image';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The four parts of a refusal by SELinux: who, which act, on what kind, of which class. Acts may be any of several. */
export type Refusal = readonly [who: string, act: string, kind: string, tclass: string];

/** What one attempt of go/attempts/cmd/escapes comes to. */
export interface Escape {
  readonly name: string;
  /** As somebody who wants out would say it. */
  readonly what: string;
  readonly by: string;
  /** Where SELinux refuses: its record names these. */
  readonly refusal?: Refusal;
  /** Where something else does: what the system call says. */
  readonly said?: string;
}

const selinux = (name: string, what: string, ...refusal: Refusal): Escape => ({
  name,
  what,
  by: 'SELinux',
  refusal,
});

/** By container_t, with everything lent that a pod can be lent without "privileged: true". */
export const ORDINARY: readonly Escape[] = [
  selinux(
    'read-node-identity',
    'read the key of the node',
    'container_t',
    'read',
    'plinthd_var_lib_t',
    'file',
  ),
  selinux('list-node-state', 'list what plinthd keeps', 'container_t', 'read', 'plinthd_var_lib_t', 'dir'),
  selinux(
    'read-cluster-key',
    'read the key of the cluster',
    'container_t',
    'read',
    'kubernetes_secret_t',
    'file',
  ),
  selinux(
    'list-kubelet-keys',
    'list the keys of the kubelet',
    'container_t',
    'read',
    'kubernetes_secret_t',
    'dir',
  ),
  selinux('read-etcd', 'read the database of the cluster', 'container_t', 'read', 'etcd_var_lib_t', 'file'),
  selinux('read-journal', 'read the journal', 'container_t', 'read', 'systemd_journal_t', 'dir'),
  {
    name: 'read-other-pod-token',
    what: 'read the token of another pod',
    by: 'SELinux',
    said: 'permission denied',
  },
  selinux('write-etc', 'write to /etc', 'container_t', 'write', 'etc_t', 'dir'),
  { name: 'write-usr', what: 'write to /usr', by: 'the verified root', said: 'read-only file system' },
  selinux(
    'write-kubelet-state',
    'write to the state of the kubelet',
    'container_t',
    'write',
    'container_var_lib_t',
    'dir',
  ),
  selinux(
    'write-images',
    'write to the images of the node',
    'container_t',
    'write',
    'container_var_lib_t',
    'dir',
  ),
  selinux(
    'write-audit-log',
    'write to the audit log',
    'container_t',
    'write|append',
    'container_log_t',
    'file',
  ),
  selinux(
    'end-plinthd-by-group',
    'end plinthd by its control group',
    'container_t',
    'write',
    'cgroup_t',
    'file',
  ),
  selinux(
    'core-pattern',
    'give the kernel a program for cores',
    'container_t',
    'write',
    'sysctl_kernel_t',
    'file',
  ),
  selinux(
    'module-loader',
    'give the kernel a loader of modules',
    'container_t',
    'write',
    'sysctl_modprobe_t',
    'file',
  ),
  selinux('kernel-memory', 'read the memory of the kernel', 'container_t', 'read', 'proc_kcore_t', 'file'),
  {
    name: 'firmware-variables',
    what: 'list variables of the firmware',
    by: 'SELinux',
    said: 'permission denied',
  },
  selinux('selinux-off', 'turn SELinux off', 'container_t', 'write', 'security_t', 'file'),
  selinux('selinux-policy', 'load another policy', 'container_t', 'write', 'security_t', 'file'),
  selinux(
    'containerd-socket',
    'ask containerd for a container',
    'container_t',
    'connectto',
    'containerd_t',
    'unix_stream_socket',
  ),
  selinux('init-socket', 'ask PID 1 for a unit', 'container_t', 'write', 'init_runtime_t', 'sock_file'),
  selinux(
    'bus-socket',
    'ask over the system bus',
    'container_t',
    'write',
    'system_dbusd_runtime_t',
    'sock_file',
  ),
  { name: 'disk', what: 'read a disk', by: 'the device control group', said: 'operation not permitted' },
  {
    name: 'memory-device',
    what: 'open the memory of the machine',
    by: 'the device control group',
    said: 'operation not permitted',
  },
  { name: 'tpm', what: 'ask the TPM', by: 'the device control group', said: 'operation not permitted' },
  selinux('device-node', 'make a device node of a disk', 'container_t', 'mknod', 'container_t', 'capability'),
  selinux('root-of-init', 'go through /proc/1/root', 'container_t', 'search', 'init_t', 'dir'),
  selinux('enter-init', 'enter a namespace of PID 1', 'container_t', 'search', 'init_t', 'dir'),
  selinux('trace-init', 'trace PID 1', 'container_t', 'ptrace', 'init_t', 'process'),
  selinux('kill-init', 'kill PID 1', 'container_t', 'sigkill', 'init_t', 'process'),
  selinux(
    'become-other-domain',
    'become plinthd for SELinux',
    'container_t',
    'setcurrent',
    'container_t',
    'process',
  ),
  selinux('mount', 'mount a file system', 'container_t', 'sys_admin', 'container_t', 'capability'),
  selinux('module', 'load a module', 'container_t', 'sys_module', 'container_t', 'capability'),
  selinux(
    'open-by-handle',
    'open files by their numbers',
    'container_t',
    'dac_read_search',
    'container_t',
    'capability',
  ),
  selinux('bpf', 'bring BPF into the kernel', 'container_t', 'bpf', 'container_t', 'capability2'),
  selinux(
    'userfaultfd',
    'hold the kernel up by userfaultfd',
    'container_t',
    'create',
    'container_t',
    'anon_inode',
  ),
  selinux(
    'perf',
    'watch a processor',
    'container_t',
    'open|cpu|perfmon',
    'container_t',
    '(perf_event|capability2)',
  ),
  selinux(
    'kernel-log',
    'read the log of the kernel',
    'container_t',
    'syslog|syslog_read',
    '(container_t|kernel_t)',
    '(capability2|system)',
  ),
  selinux('kexec', 'start another kernel', 'container_t', 'sys_boot', 'container_t', 'capability'),
  selinux('clock', 'set the clock', 'container_t', 'sys_time', 'container_t', 'capability'),
];

/** By spc_t, which is root of the node but for its secrets. */
export const PRIVILEGED: readonly Escape[] = [
  selinux('read-node-identity', 'read the key of the node', 'spc_t', 'read', 'plinthd_var_lib_t', 'file'),
  selinux('list-node-state', 'list what plinthd keeps', 'spc_t', 'read', 'plinthd_var_lib_t', 'dir'),
  selinux('read-cluster-key', 'read the key of the cluster', 'spc_t', 'read', 'kubernetes_secret_t', 'file'),
  selinux('list-kubelet-keys', 'list the keys of the kubelet', 'spc_t', 'read', 'kubernetes_secret_t', 'dir'),
  selinux('read-etcd', 'read the database of the cluster', 'spc_t', 'read', 'etcd_var_lib_t', 'file'),
  { name: 'write-usr', what: 'write to /usr', by: 'the verified root', said: 'read-only file system' },
  selinux('kernel-memory', 'read the memory of the kernel', 'spc_t', 'read', 'proc_kcore_t', 'file'),
  selinux('memory-device', 'open the memory of the machine', 'spc_t', 'read', 'memory_device_t', 'chr_file'),
  selinux('selinux-off', 'turn SELinux off', 'spc_t', 'setenforce', 'security_t', 'security'),
  selinux('selinux-policy', 'load another policy', 'spc_t', 'load_policy', 'security_t', 'security'),
  selinux('trace-plinthd', 'trace plinthd', 'spc_t', 'ptrace', 'plinthd_t', 'process'),
  selinux('trace-init', 'trace PID 1', 'spc_t', 'ptrace', 'init_t', 'process'),
  selinux('become-other-domain', 'become plinthd for SELinux', 'spc_t', 'setcurrent', 'spc_t', 'process'),
];

/** What a privileged pod gets at: who may make one is trusted with the node (ADR 0044). */
export const TRUSTED_WITH: readonly Pick<Escape, 'name' | 'what'>[] = [{ name: 'disk', what: 'read a disk' }];

/** recordOf is what the kernel's record of a refusal looks like. */
export function recordOf([who, act, kind, tclass]: Refusal): RegExp {
  return new RegExp(
    `\\{[^}]*\\b(${act})\\b[^}]*\\}.* scontext=\\S+:${who}:\\S+ tcontext=\\S+:${kind}:\\S+ tclass=${tclass} permissive=0`,
  );
}

/** buildEscapes puts the program into an image. @returns the OCI archive */
export async function buildEscapes(folder: string): Promise<string> {
  const compile = goComponentSource({ goDir: join(repository, 'go'), lockDir: join(repository, 'os') });
  const built = await compile(['attempts'], silentProgress);
  const program = await readFile(built.get('attempts')?.programs.get('escapes') ?? '');
  const { bytes } = writeOciArchive({
    reference: 'plinth.local/escapes:1',
    entries: [
      ...['dev', 'etc', 'host', 'proc', 'sys', 'tmp'].map(
        (path) => ({ kind: 'directory', path, mode: 0o755 }) as const,
      ),
      { kind: 'file', path: 'escapes', mode: 0o755, data: program },
    ],
    entrypoint: ['/escapes'],
    epochSeconds: 1_700_000_000,
  });
  const archive = join(folder, 'escapes.tar');
  await writeFile(archive, bytes);
  return archive;
}

/** hostilePod is a pod that is lent all there is: the root of the host, its processes and its network, every capability. */
export function hostilePod(
  name: string,
  image: string,
  attempts: readonly string[],
  privileged: boolean,
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: HOSTILE },
    spec: {
      hostPID: true,
      hostNetwork: true,
      hostIPC: true,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'escapes',
          image,
          args: [...attempts],
          securityContext: {
            runAsUser: 0,
            privileged,
            seccompProfile: { type: 'Unconfined' },
            ...(!privileged && { capabilities: { add: ['ALL'] } }),
          },
          volumeMounts: [{ name: 'host', mountPath: '/host' }],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
    },
  });
}

/** A namespace that lets pods be privileged. */
export const HOSTILE = 'hostile';
