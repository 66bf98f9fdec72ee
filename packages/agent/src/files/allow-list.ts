/** Where files may be looked at: folders with all below them, and single files. The kernel's files are named one by one: many of the others change what they tell of. */
export const READABLE: readonly string[] = [
  '/etc',
  '/proc/buddyinfo',
  '/proc/cgroups',
  '/proc/cmdline',
  '/proc/consoles',
  '/proc/cpuinfo',
  '/proc/crypto',
  '/proc/devices',
  '/proc/diskstats',
  '/proc/dma',
  '/proc/filesystems',
  '/proc/interrupts',
  '/proc/iomem',
  '/proc/ioports',
  '/proc/loadavg',
  '/proc/locks',
  '/proc/mdstat',
  '/proc/meminfo',
  '/proc/misc',
  '/proc/modules',
  '/proc/partitions',
  '/proc/pressure',
  '/proc/schedstat',
  '/proc/slabinfo',
  '/proc/softirqs',
  '/proc/stat',
  '/proc/swaps',
  '/proc/sys/fs',
  '/proc/sys/kernel',
  '/proc/sys/net',
  '/proc/sys/vm',
  '/proc/uptime',
  '/proc/version',
  '/proc/vmstat',
  '/proc/zoneinfo',
  '/run/systemd',
  '/sys/block',
  '/sys/class',
  '/sys/devices',
  '/sys/fs/cgroup',
  '/sys/fs/selinux/enforce',
  '/sys/kernel/iommu_groups',
  '/sys/kernel/mm',
  '/sys/module',
  // What links in /etc lead to; the whole image is public and signed.
  '/usr/lib/os-release',
  '/usr/lib/sysctl.d',
  '/usr/lib/systemd',
  '/usr/share/zoneinfo',
  '/var/log',
];

/**
 * What may not be read although it lies there: keys, passwords, tokens, configs that hold them, and what systemd keeps for
 * the units' credentials. Matched against the real path. The tables of the firmware (/sys/firmware) are on no list: a machine
 * config with its secrets may stand in them.
 */
const SECRET: readonly RegExp[] = [
  /^\/etc\/(?:g?shadow-?|\.pwd\.lock)$/,
  /^\/etc\/kubernetes(?:\/|$)(?!manifests(?:\/|$)|$)/,
  /^\/etc\/(?:ssl|pki)\/private(?:\/|$)/,
  /^\/etc\/credstore(?:\.encrypted)?(?:\/|$)/,
  /^\/etc\/containerd\/(?:certs\.d|conf\.d|registries)(?:\/|$)/,
  /^\/etc\/(?:wireguard|cryptsetup-keys\.d|ssh)(?:\/|$)/,
  /^\/run\/systemd\/(?:credentials|cryptsetup|ask-password|inaccessible|journal\/streams)(?:\/|$)/,
  /^\/run\/systemd\/(?:private|notify|io\.|.*\.socket$)/,
  /^\/proc\/sys\/(?:kernel\/random\/uuid|net\/ipv[46]\/.*stable_secret|net\/ipv4\/tcp_fastopen_key)$/,
  /^\/proc\/sys\/net\/ipv6\/conf\/[^/]+\/stable_secret$/,
  /^\/sys\/devices\/.*\/(?:serial_number_key|unique_key)$/,
  // Reading these asks the device itself: ports, its own memory and its store of product data.
  /^\/sys\/devices\/.*\/(?:resource\d+(?:_wc)?|rom|vpd|nvmem)$/,
  /(?:^|\/)\.?(?:netrc|pgpass|dockerconfigjson|dockercfg)$/i,
  /\.(?:key|pem\.key|p12|pfx|jks|psk|keytab|kubeconfig|netdev)$/i,
  /(?:^|\/)(?:[^/]*[-_.])?(?:private|secrets?|passwords?|passwd-|tokens?|credentials?|kubeconfig|key)(?:[-_.][^/]*)?$/i,
];

/** Whether a path is written plainly: absolute, without empty, "." and ".." parts, NUL and a slash at its end. */
export function isPlainPath(path: string): boolean {
  return path.length <= 4096 && !path.includes('\0') && /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/.test(path);
}

/** Whether what has this real path may be looked at. @param places default: READABLE */
export function isReadable(realPath: string, places: readonly string[] = READABLE): boolean {
  const listed = places.some((place) => realPath === place || realPath.startsWith(`${place}/`));
  return listed && !SECRET.some((pattern) => pattern.test(realPath));
}
