/** A kernel setting that no config may change, and why: people look for it, and should find a reason. */
export interface RefusedSysctl {
  readonly key: string;
  readonly why: string;
}

const KUBELET = 'the kubelet starts only with the value of the image (protectKernelDefaults)';
const ROUTES = 'nobody but the machine config says where packets go';
const HARDENING = 'the image has the strongest value that a Kubernetes node can have';
const PROGRAM = 'it names a program that the kernel starts as root';

/** Keys that are refused with a reason. What is in neither list is refused as unknown. */
export const refusedSysctls: readonly RefusedSysctl[] = [
  { key: 'dev.tty.ldisc_autoload', why: HARDENING },
  { key: 'dev.tty.legacy_tiocsti', why: HARDENING },
  { key: 'fs.protected_fifos', why: HARDENING },
  { key: 'fs.protected_hardlinks', why: HARDENING },
  { key: 'fs.protected_regular', why: HARDENING },
  { key: 'fs.protected_symlinks', why: HARDENING },
  { key: 'fs.suid_dumpable', why: HARDENING },
  { key: 'kernel.core_pattern', why: PROGRAM },
  { key: 'kernel.dmesg_restrict', why: HARDENING },
  {
    key: 'kernel.hardlockup_panic',
    why: 'a processor that hangs ends in a reboot, or the node would stay away',
  },
  { key: 'kernel.hostname', why: 'the name of the node is in the document of kind Machine' },
  { key: 'kernel.kexec_load_disabled', why: 'another kernel is started by the boot loader, which checks it' },
  { key: 'kernel.keys.root_maxbytes', why: KUBELET },
  { key: 'kernel.keys.root_maxkeys', why: KUBELET },
  { key: 'kernel.kptr_restrict', why: HARDENING },
  { key: 'kernel.modprobe', why: PROGRAM },
  { key: 'kernel.modules_disabled', why: 'it cannot be taken back, and pods need modules later' },
  { key: 'kernel.panic', why: KUBELET },
  { key: 'kernel.panic_on_oops', why: KUBELET },
  { key: 'kernel.perf_event_paranoid', why: HARDENING },
  { key: 'kernel.randomize_va_space', why: HARDENING },
  { key: 'kernel.sysrq', why: HARDENING },
  { key: 'kernel.unprivileged_bpf_disabled', why: HARDENING },
  { key: 'kernel.yama.ptrace_scope', why: HARDENING },
  {
    key: 'net.bridge.bridge-nf-call-ip6tables',
    why: 'without it packets between pods of one node pass no packet filter',
  },
  {
    key: 'net.bridge.bridge-nf-call-iptables',
    why: 'without it packets between pods of one node pass no packet filter',
  },
  { key: 'net.core.bpf_jit_harden', why: HARDENING },
  { key: 'net.ipv4.conf.all.accept_redirects', why: ROUTES },
  { key: 'net.ipv4.conf.all.accept_source_route', why: ROUTES },
  { key: 'net.ipv4.conf.all.secure_redirects', why: ROUTES },
  { key: 'net.ipv4.conf.all.send_redirects', why: 'the node is no router for others' },
  { key: 'net.ipv4.conf.default.accept_redirects', why: ROUTES },
  { key: 'net.ipv4.conf.default.accept_source_route', why: ROUTES },
  { key: 'net.ipv4.conf.default.secure_redirects', why: ROUTES },
  { key: 'net.ipv4.conf.default.send_redirects', why: 'the node is no router for others' },
  { key: 'net.ipv4.icmp_echo_ignore_broadcasts', why: HARDENING },
  { key: 'net.ipv4.icmp_ignore_bogus_error_responses', why: HARDENING },
  { key: 'net.ipv4.ip_forward', why: 'pods reach nothing without it' },
  { key: 'net.ipv4.tcp_syncookies', why: HARDENING },
  { key: 'net.ipv6.conf.all.accept_ra', why: 'systemd-networkd reads router advertisements, not the kernel' },
  { key: 'net.ipv6.conf.all.accept_redirects', why: ROUTES },
  { key: 'net.ipv6.conf.all.accept_source_route', why: ROUTES },
  { key: 'net.ipv6.conf.all.forwarding', why: 'pods reach nothing without it' },
  {
    key: 'net.ipv6.conf.default.accept_ra',
    why: 'systemd-networkd reads router advertisements, not the kernel',
  },
  { key: 'net.ipv6.conf.default.accept_redirects', why: ROUTES },
  { key: 'net.ipv6.conf.default.accept_source_route', why: ROUTES },
  { key: 'net.netfilter.nf_conntrack_max', why: 'kube-proxy sets it by the number of processors' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_close_wait', why: 'kube-proxy sets it' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_established', why: 'kube-proxy sets it' },
  { key: 'vm.mmap_min_addr', why: HARDENING },
  { key: 'vm.mmap_rnd_bits', why: HARDENING },
  { key: 'vm.mmap_rnd_compat_bits', why: HARDENING },
  { key: 'vm.overcommit_memory', why: KUBELET },
  { key: 'vm.panic_on_oom', why: KUBELET },
  { key: 'vm.unprivileged_userfaultfd', why: HARDENING },
  { key: 'vm.swappiness', why: 'a node has no swap' },
];
