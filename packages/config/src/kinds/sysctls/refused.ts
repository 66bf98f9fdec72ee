/** A kernel setting that no config may change, and why: people look for it, and should find a reason. */
export interface RefusedSysctl {
  readonly key: string;
  readonly why: string;
}

const KUBELET = 'the kubelet starts only with the value of the image (protectKernelDefaults)';
const HARDENING = 'the image has the strongest value that a Kubernetes node can have';
const PROGRAM = 'it names a program that the kernel starts as root';

/** Keys that are refused with a reason. What is in neither list is refused as unknown. */
export const refusedSysctls: readonly RefusedSysctl[] = [
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
  { key: 'kernel.keys.root_maxbytes', why: KUBELET },
  { key: 'kernel.keys.root_maxkeys', why: KUBELET },
  { key: 'kernel.kptr_restrict', why: HARDENING },
  { key: 'kernel.modprobe', why: PROGRAM },
  { key: 'kernel.modules_disabled', why: 'it cannot be taken back, and pods need modules later' },
  { key: 'kernel.panic', why: KUBELET },
  { key: 'kernel.panic_on_oops', why: KUBELET },
  { key: 'kernel.perf_event_paranoid', why: HARDENING },
  { key: 'kernel.randomize_va_space', why: 'the kernel has the strongest value' },
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
  { key: 'net.ipv4.conf.all.accept_redirects', why: 'others would change the ways of the node' },
  { key: 'net.ipv4.conf.all.send_redirects', why: 'the node is no router for others' },
  { key: 'net.ipv4.ip_forward', why: 'pods reach nothing without it' },
  { key: 'net.ipv6.conf.all.accept_redirects', why: 'others would change the ways of the node' },
  { key: 'net.ipv6.conf.all.forwarding', why: 'pods reach nothing without it' },
  { key: 'net.netfilter.nf_conntrack_max', why: 'kube-proxy sets it by the number of processors' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_close_wait', why: 'kube-proxy sets it' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_established', why: 'kube-proxy sets it' },
  { key: 'vm.overcommit_memory', why: KUBELET },
  { key: 'vm.panic_on_oom', why: KUBELET },
  { key: 'vm.swappiness', why: 'a node has no swap' },
];
