/** What a kernel setting takes: one number, or some numbers that must not fall. */
export interface AllowedSysctl {
  readonly key: string;
  /** What it does and who needs it: the description of the field. */
  readonly why: string;
  readonly least: number;
  readonly most: number;
  /** How many numbers it takes; default: one. */
  readonly numbers?: number;
  /** What os/sysctl.d sets: the kernel gets it again when the config says nothing any more. */
  readonly image?: number;
  /** A wrong value can make the node unreachable. */
  readonly reach?: true;
}

const INT_MAX = 2_147_483_647;
const HOST_ONLY = 'Of the network of the host; a pod has its own.';

/**
 * The settings of the kernel that a machine config may change. Each is here for a reason, takes effect while the node
 * runs, and weakens the node by no value it takes. A key of the image's os/sysctl.d that is not here is fixed.
 */
export const allowedSysctls: readonly AllowedSysctl[] = [
  {
    key: 'fs.aio-max-nr',
    why: 'Asynchronous reads and writes under way on the whole node; databases ask for more than the default of 65536.',
    least: 65_536,
    most: 16_777_216,
  },
  {
    key: 'fs.inotify.max_queued_events',
    why: 'Events that wait for one watcher of files before some are lost.',
    least: 16_384,
    most: 16_777_216,
  },
  {
    key: 'fs.inotify.max_user_instances',
    why: 'Watchers of files for each user; most pods run as the same few. The image has 8192.',
    least: 1024,
    most: 1_048_576,
    image: 8192,
  },
  {
    key: 'fs.inotify.max_user_watches',
    why: 'Files watched by each user. The image has 524288; each takes about 1 KiB of memory.',
    least: 65_536,
    most: 16_777_216,
    image: 524_288,
  },
  {
    key: 'kernel.pid_max',
    why: 'The highest number of a process. The image has 4194304, the most there is.',
    least: 65_536,
    most: 4_194_304,
    image: 4_194_304,
  },
  {
    key: 'net.core.netdev_max_backlog',
    why: 'Packets that wait for the kernel when a card brings them faster than they are handled.',
    least: 1000,
    most: 1_000_000,
  },
  {
    key: 'net.core.rmem_default',
    why: 'Bytes a socket may hold of what came in, unless its program asks for another size.',
    least: 65_536,
    most: 67_108_864,
  },
  {
    key: 'net.core.rmem_max',
    why: 'The most bytes of incoming data a program may ask for; QUIC and fast links over long ways need some MiB.',
    least: 131_072,
    most: 1_073_741_824,
  },
  {
    key: 'net.core.somaxconn',
    why: `Connections that wait for a listener to take them. ${HOST_ONLY}`,
    least: 1024,
    most: 65_535,
  },
  {
    key: 'net.core.wmem_default',
    why: 'Bytes a socket may hold of what is to go out, unless its program asks for another size.',
    least: 65_536,
    most: 67_108_864,
  },
  {
    key: 'net.core.wmem_max',
    why: 'The most bytes of outgoing data a program may ask for.',
    least: 131_072,
    most: 1_073_741_824,
  },
  {
    key: 'net.ipv4.conf.all.rp_filter',
    why: 'Packets must come in by a card that leads back to their sender (1), or by any card if some card does (2). The image has 2: with several ways out, 1 drops answers.',
    least: 1,
    most: 2,
    image: 2,
    reach: true,
  },
  {
    key: 'net.ipv4.ip_local_port_range',
    why: `First and last port of connections that go out. They begin above the ports of services (30000 to 32767). ${HOST_ONLY}`,
    least: 32_768,
    most: 65_535,
    numbers: 2,
    reach: true,
  },
  {
    key: 'net.ipv4.neigh.default.gc_thresh1',
    why: 'Neighbours the kernel keeps without clearing up (IPv4). Large flat networks need more than 128.',
    least: 128,
    most: 1_048_576,
  },
  {
    key: 'net.ipv4.neigh.default.gc_thresh2',
    why: 'Neighbours from which on the kernel clears up after 5 seconds (IPv4).',
    least: 512,
    most: 1_048_576,
  },
  {
    key: 'net.ipv4.neigh.default.gc_thresh3',
    why: 'The most neighbours (IPv4); one more is not reached.',
    least: 1024,
    most: 1_048_576,
  },
  {
    key: 'net.ipv4.tcp_fin_timeout',
    why: `Seconds a closed connection waits for the end of the other side. ${HOST_ONLY}`,
    least: 5,
    most: 120,
  },
  {
    key: 'net.ipv4.tcp_keepalive_intvl',
    why: `Seconds between two probes of an idle connection. ${HOST_ONLY}`,
    least: 1,
    most: 3600,
  },
  {
    key: 'net.ipv4.tcp_keepalive_probes',
    why: `Probes without an answer after which a connection is given up. ${HOST_ONLY}`,
    least: 1,
    most: 100,
  },
  {
    key: 'net.ipv4.tcp_keepalive_time',
    why: `Seconds of silence before a connection is probed. ${HOST_ONLY}`,
    least: 10,
    most: 32_767,
  },
  {
    key: 'net.ipv4.tcp_max_syn_backlog',
    why: `Connections that are being opened at the same time to one listener. ${HOST_ONLY}`,
    least: 128,
    most: 1_048_576,
  },
  {
    key: 'net.ipv4.tcp_mtu_probing',
    why: `Whether TCP finds out the size of packets by itself: never (0), when packets vanish (1), always (2). ${HOST_ONLY}`,
    least: 0,
    most: 2,
  },
  {
    key: 'net.ipv4.tcp_rmem',
    why: `Least, usual and most bytes of incoming data of a TCP connection. ${HOST_ONLY}`,
    least: 4096,
    most: 1_073_741_824,
    numbers: 3,
  },
  {
    key: 'net.ipv4.tcp_slow_start_after_idle',
    why: `Whether a connection starts slowly again after a pause (1) or not (0). ${HOST_ONLY}`,
    least: 0,
    most: 1,
  },
  {
    key: 'net.ipv4.tcp_tw_reuse',
    why: `Whether a port of a closed connection is used again early: never (0), always (1), on the node itself (2). ${HOST_ONLY}`,
    least: 0,
    most: 2,
  },
  {
    key: 'net.ipv4.tcp_wmem',
    why: `Least, usual and most bytes of outgoing data of a TCP connection. ${HOST_ONLY}`,
    least: 4096,
    most: 1_073_741_824,
    numbers: 3,
  },
  {
    key: 'net.ipv6.neigh.default.gc_thresh1',
    why: 'Neighbours the kernel keeps without clearing up (IPv6).',
    least: 128,
    most: 1_048_576,
  },
  {
    key: 'net.ipv6.neigh.default.gc_thresh2',
    why: 'Neighbours from which on the kernel clears up after 5 seconds (IPv6).',
    least: 512,
    most: 1_048_576,
  },
  {
    key: 'net.ipv6.neigh.default.gc_thresh3',
    why: 'The most neighbours (IPv6); one more is not reached.',
    least: 1024,
    most: 1_048_576,
  },
  {
    key: 'vm.dirty_background_ratio',
    why: 'Percent of memory with unwritten data from which on the kernel writes in the background.',
    least: 1,
    most: 50,
  },
  {
    key: 'vm.dirty_expire_centisecs',
    why: 'Hundredths of a second after which changed data has to be written.',
    least: 100,
    most: 6000,
  },
  {
    key: 'vm.dirty_ratio',
    why: 'Percent of memory with unwritten data at which a program that writes has to wait.',
    least: 2,
    most: 80,
  },
  {
    key: 'vm.dirty_writeback_centisecs',
    why: 'Hundredths of a second between two rounds of writing.',
    least: 100,
    most: 6000,
  },
  {
    key: 'vm.max_map_count',
    why: 'Mappings of one process; search engines and databases demand 262144 or more.',
    least: 65_530,
    most: INT_MAX,
  },
  {
    key: 'vm.min_free_kbytes',
    why: 'KiB of memory the kernel keeps free for itself, so that network and disks go on under pressure. The most is what the kernel itself chooses on the largest machines: all of a small one would stop it.',
    least: 1024,
    most: 262_144,
  },
  {
    key: 'vm.vfs_cache_pressure',
    why: 'How readily the kernel forgets names of files: below 100 less, above it more than other cached data.',
    least: 1,
    most: 1000,
  },
];
