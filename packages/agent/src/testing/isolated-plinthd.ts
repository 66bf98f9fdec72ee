import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClientCredentials } from './authority.ts';

/** A built plinthd that runs on this machine, with mounts and a network of its own. */
export interface IsolatedPlinthd extends Disposable {
  readonly pid: number;
  /** Holds its disk; see IsolatedOptions.folder. Removed with the one that made it. */
  readonly folder: string;
  /** What it has written to its standard output and error so far. */
  output(): string;
  /** What it has written to the console so far. */
  console(): string;
  /** Waits for a line on the console. Throws when plinthd ends before it comes. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Calls a method of its API from inside its network; gives the answer in protobuf's JSON form. Blocks. */
  call(method: string, credentials: ClientCredentials, request?: unknown): unknown;
  /** A file as it sees it. */
  read(path: string): string;
  /** Resolves when it has ended by itself; gives its exit code, or the signal that ended it. */
  readonly ended: Promise<string>;
  /** Ends it; gives its exit code, or the signal that ended it. */
  stop(): Promise<string>;
}

export interface IsolatedOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder with the disk of an earlier run, for a second boot; default: a new one. */
  readonly folder?: string;
  /** What fw_cfg gives; default: nothing, so that it stays in maintenance. */
  readonly machineConfig?: string;
  /** What the kernel says is the boot; default: that of this machine. */
  readonly bootId?: string;
  /** Programs of its root, by path; each answers every call with what it prints. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Why startIsolated cannot work here; false when it can. */
export function cannotIsolate(): string | false {
  const allowed =
    spawnSync('unshare', ['--mount', '--net', '--uts', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  return allowed ? false : 'this machine allows no mount and network namespaces';
}

const DISK_BYTES = 16 * 1024 * 1024;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * A root of its own, whose writes end in memory: the probes of the integrity report write to / and /usr, and no file may
 * come and go on the machine of the tests. In it /var on a disk, fw_cfg as the kernel shows it, a file as the console,
 * and a loopback that is up.
 */
const PREPARE = `set -e
folder="$1"
program="$2"
shift 2
root="$folder/root"
mkdir -p "$folder/memory" "$root"
mount -t tmpfs none "$folder/memory"
mkdir "$folder/memory/upper" "$folder/memory/work"
mount -t overlay -o "lowerdir=/,upperdir=$folder/memory/upper,workdir=$folder/memory/work" none "$root"
for kernel in proc sys dev; do mount --rbind "/$kernel" "$root/$kernel"; done
of="\${program%/*}"
mkdir -p "$root$of"
mount -o bind,ro "$of" "$root$of"
mount -o loop,nosuid,nodev,noexec "$folder/disk" "$root/var"
mkdir -p "$root/var/lib"
mount -t tmpfs none "$root/sys/firmware"
if [ -s "$folder/config" ]; then
  item="$root/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config"
  mkdir -p "$item"
  cp "$folder/config" "$item/raw"
fi
if [ -s "$folder/boot-id" ]; then
  mount --bind "$folder/boot-id" "$root/proc/sys/kernel/random/boot_id"
fi
if [ -d "$folder/programs" ]; then cp -R "$folder/programs/." "$root/"; fi
mount --bind "$folder/console" "$root/dev/console"
ip link set lo up
exec chroot "$root" "$program" "$@"`;

/** startIsolated runs a plinthd on this machine without a trace outside of its namespaces. Needs root. */
export function startIsolated(program: string, options: IsolatedOptions = {}): IsolatedPlinthd {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'plinthd-'));
  if (options.folder === undefined) {
    const disk = join(folder, 'disk');
    writeFileSync(disk, '');
    truncateSync(disk, DISK_BYTES);
    execFileSync('mkfs.ext4', ['-q', disk], { env: { PATH } });
  }
  const consoleFile = join(folder, 'console');
  writeFileSync(consoleFile, '');
  writeFileSync(join(folder, 'config'), options.machineConfig ?? '');
  writeFileSync(join(folder, 'boot-id'), options.bootId === undefined ? '' : `${options.bootId}\n`);
  for (const [path, script] of Object.entries(options.programs ?? {})) {
    const file = join(folder, 'programs', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, script, { mode: 0o755 });
  }
  const args = [
    '--mount',
    '--net',
    '--uts',
    '/bin/sh',
    '-c',
    PREPARE,
    'sh',
    folder,
    program,
    ...(options.args ?? []),
  ];
  const child = spawn('unshare', args, { env: { PATH, ...options.env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  let ended: string | undefined;
  const end = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      ended = `${code ?? signal}`;
      resolve(ended);
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('Cannot start unshare');
  const console = () => readFileSync(consoleFile, 'utf8');
  return {
    pid,
    folder,
    output: () => output,
    console,
    async line(pattern) {
      for (;;) {
        const found = pattern.exec(console());
        if (found) return found;
        if (ended !== undefined) throw new Error(`plinthd ended with ${ended}: ${console()}${output}`);
        await sleep(10);
      }
    },
    call(method, { certificatePem, keyPem }, request) {
      const caller = fileURLToPath(new URL('./call-node.ts', import.meta.url));
      const fingerprint = /fingerprint=(\S+)/.exec(console())?.[1];
      const input = JSON.stringify({ method, fingerprint, certificatePem, keyPem, request });
      const inside = ['--target', String(pid), '--net', process.execPath, caller];
      return JSON.parse(execFileSync('nsenter', inside, { input, encoding: 'utf8' }));
    },
    read: (path) => readFileSync(join(`/proc/${pid}/root`, path), 'utf8'),
    ended: end,
    stop() {
      child.kill('SIGTERM');
      return end;
    },
    [Symbol.dispose]() {
      child.kill('SIGKILL');
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
