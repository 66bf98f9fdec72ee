/** Flags that change what V8 compiles. The code cache is made with the same ones, or V8 throws it away. */
export const V8_FLAGS: readonly string[] = [
  // No just-in-time code: no anonymous executable memory, so MemoryDenyWriteExecute and IPE can stay on.
  '--jitless',
  '--disallow-code-generation-from-strings',
];

/**
 * What the runtime itself is told, compiled into the executable. The permission model is a seat belt for bugs of
 * ours; the fence is the unit's sandbox. Only these places may be written:
 *  - the state folder, the console, the host name, the settings of the cards;
 *  - what the probes of the integrity report try to write, so that the refusal comes from the kernel and not from here.
 */
export const RUNTIME_FLAGS: readonly string[] = [
  ...V8_FLAGS,
  '--max-old-space-size=96',
  '--max-semi-space-size=1',
  '--permission',
  '--allow-net',
  '--allow-child-process',
  '--allow-fs-read=*',
  '--allow-fs-write=/var/lib/plinth',
  '--allow-fs-write=/var/lib/plinth/*',
  // The way back of a Kubernetes upgrade; the members are named so that nothing else of Kubernetes can be written.
  '--allow-fs-write=/var/lib/kubernetes/manifests/*',
  '--allow-fs-write=/var/lib/kubelet/config.yaml',
  '--allow-fs-write=/var/lib/kubelet/.config.yaml.tmp',
  '--allow-fs-write=/var/lib/kubelet/kubeadm-flags.env',
  '--allow-fs-write=/var/lib/kubelet/.kubeadm-flags.env.tmp',
  // Folders that bootstrap containers are given.
  '--allow-fs-write=/var/local',
  '--allow-fs-write=/var/local/*',
  // Asks the next start for a new /var, see reset-mark.ts.
  '--allow-fs-write=/sys/firmware/efi/efivars/FactoryReset-8cf2644b-4b0b-428f-9387-6d876050dc67',
  '--allow-fs-write=/dev/console',
  '--allow-fs-write=/proc/sys/kernel/hostname',
  '--allow-fs-write=/etc/systemd/network',
  '--allow-fs-write=/etc/systemd/network/*',
  // The rest of what a machine config makes; and the names that files have until they are whole.
  '--allow-fs-write=/etc/containerd/certs.d',
  '--allow-fs-write=/etc/containerd/certs.d/*',
  '--allow-fs-write=/etc/hosts',
  '--allow-fs-write=/etc/.hosts.plinth',
  '--allow-fs-write=/etc/ssl/certs/*',
  '--allow-fs-write=/etc/systemd/resolved.conf.d',
  '--allow-fs-write=/etc/systemd/resolved.conf.d/*',
  '--allow-fs-write=/etc/systemd/timesyncd.conf.d',
  '--allow-fs-write=/etc/systemd/timesyncd.conf.d/*',
  '--allow-fs-write=/run/plinth/kubelet.conf.d',
  '--allow-fs-write=/run/plinth/kubelet.conf.d/*',
  '--allow-fs-write=/run/sysctl.d',
  '--allow-fs-write=/run/sysctl.d/*',
  '--allow-fs-write=/run/modules-load.d',
  '--allow-fs-write=/run/modules-load.d/*',
  // The recovery key of /var: what the initrd has printed is taken away, and the key to seal it anew lies here meanwhile.
  '--allow-fs-write=/run/plinth/var-key/*',
  '--allow-fs-write=/run/plinth/volumes',
  '--allow-fs-write=/run/plinth/volumes/*',
  // Mount units of volumes, and no other unit.
  '--allow-fs-write=/run/systemd/system/var-mnt-*',
  '--allow-fs-write=/run/systemd/system/.var-mnt-*',
  // Updates: the slot that is not booted, and the partition tables (update/stage/node-machine.ts). Names differ by the kind of disk; the
  // slot that is booted is read-only in the kernel. The boot entries on the ESP; one variable of the boot loader.
  '--allow-fs-write=/dev/vd*',
  '--allow-fs-write=/dev/sd*',
  '--allow-fs-write=/dev/xvd*',
  '--allow-fs-write=/dev/nvme*',
  '--allow-fs-write=/dev/mmcblk*',
  '--allow-fs-write=/efi/EFI/Linux',
  '--allow-fs-write=/efi/EFI/Linux/*',
  '--allow-fs-write=/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f',
  // Which slot a soft-reboot goes to, and its signature; a unit of the image does the rest.
  '--allow-fs-write=/run/plinth/nextroot',
  '--allow-fs-write=/run/plinth/nextroot/*',
  // Commands to the TPM are written to it (attestation/tpm-device.ts).
  '--allow-fs-write=/dev/tpmrm0',
  '--allow-fs-write=/.plinth-write-probe',
  '--allow-fs-write=/usr/.plinth-write-probe',
  '--allow-fs-write=/dev/mapper/root',
  '--allow-fs-write=/dev/mapper/nextroot',
  '--disable-proto=throw',
  '--frozen-intrinsics',
  '--no-addons',
  // SIGUSR1 would open the debugger on a local port.
  '--disable-sigusr1',
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=SecurityWarning',
];
