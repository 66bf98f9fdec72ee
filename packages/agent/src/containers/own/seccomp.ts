/** Calls that no container of ours needs and that were ways out of containers before. */
const REFUSED = [
  ...['acct', 'add_key', 'bpf', 'clock_adjtime', 'clock_settime', 'create_module', 'delete_module'],
  ...[
    'finit_module',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'get_mempolicy',
    'init_module',
    'io_uring_enter',
  ],
  ...[
    'io_uring_register',
    'io_uring_setup',
    'ioperm',
    'iopl',
    'kcmp',
    'kexec_file_load',
    'kexec_load',
    'keyctl',
  ],
  ...['lookup_dcookie', 'mbind', 'mount', 'mount_setattr', 'move_mount', 'move_pages', 'name_to_handle_at'],
  ...['nfsservctl', 'open_by_handle_at', 'open_tree', 'perf_event_open', 'personality', 'pivot_root'],
  ...['process_vm_readv', 'process_vm_writev', 'ptrace', 'query_module', 'quotactl', 'quotactl_fd', 'reboot'],
  ...['request_key', 'set_mempolicy', 'setns', 'settimeofday', 'stime', 'swapoff', 'swapon', 'sysfs'],
  ...['umount', 'umount2', 'unshare', 'uselib', 'userfaultfd', 'ustat', 'vm86', 'vm86old'],
] as const;

const ENOSYS = 38;
const CLONE_NEWUSER = 0x1000_0000;

/** seccompProfile is the filter of system calls of containers without privileges, in the words of the OCI runtime specification. */
export function seccompProfile() {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names: REFUSED, action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      // Its flags lie in memory where the filter cannot look; the C library falls back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      // A user namespace gives every capability inside of it.
      {
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 0, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER, op: 'SCMP_CMP_MASKED_EQ' }],
      },
    ],
  } as const;
}
