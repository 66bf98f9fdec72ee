import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, exists } from '@plinth/host';
import { eventually } from '@plinth/host/testing';
import { endProcess } from '@plinth/image/testing';
import { type CriClient, openCri } from '../cri-client.ts';
import { type OwnContainers, openOwnContainers } from '../own/own-containers.ts';
import { openSignatures, type SignatureSource } from '../signatures/fetch-signatures.ts';

/** The containerd and the crun of a built system, running on this machine in that system's own root. */
export interface OsContainerd extends AsyncDisposable {
  readonly cri: CriClient;
  readonly own: OwnContainers;
  readonly signatures: SignatureSource;
  /** The same path inside of its root and outside: for pipes, logs and what containers mount. */
  readonly folder: string;
  log(): string;
}

/** findOsTree gives the root of the system that was built last; undefined when none was. */
export async function findOsTree(): Promise<string | undefined> {
  const stages = join(cacheDir(), 'stages');
  const names = (await readdir(stages).catch(() => [])).filter((name) => name.startsWith('tree-'));
  const found = await Promise.all(
    names.map(async (name) => {
      const root = join(stages, name, 'root');
      const usable =
        (await exists(join(root, 'usr/bin/crun'))) && (await exists(join(root, 'usr/bin/containerd')));
      return { root, ms: usable ? (await stat(root)).ctimeMs : 0 };
    }),
  );
  return found.filter(({ ms }) => ms > 0).toSorted((a, b) => b.ms - a.ms)[0]?.root;
}

/**
 * Shell text that makes `$root` in the folder `$2`, in a mount namespace of its own: the built system `$1` with writes
 * that end in memory, and what a container of the node needs of it. There is no systemd in it. `$2/shared` is the same
 * path inside and outside. Several trees, the upper first, are separated by colons.
 */
export const MAKE_OS_ROOT = `set -e
tree="$1"
folder="$2"
root="$folder/root"
mkdir -p "$folder/memory" "$root" "$folder/shared"
mount --make-rprivate /
mount -t tmpfs none "$folder/memory"
mkdir "$folder/memory/upper" "$folder/memory/work"
mount -t overlay -o "lowerdir=$tree,upperdir=$folder/memory/upper,workdir=$folder/memory/work" none "$root"
mount -t proc none "$root/proc"
mount -t sysfs none "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
# Nodes of its own: what goes wrong in here must not take those of this machine away.
mount -t tmpfs none "$root/dev"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  number="\${node#*:}"
  mknod -m 666 "$root/dev/\${node%%:*}" c "\${number%%:*}" "\${number#*:}"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 none "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs none "$root/run"
mkdir -p "$root/run/systemd/resolve"
cp -L /etc/resolv.conf "$root/run/systemd/resolve/stub-resolv.conf"
mkdir -p "$root/var"
mount -t tmpfs none "$root/var"
mkdir -p "$root/var/lib" "$root/var/log" "$root/tmp" "$root/$folder/shared"
mount --bind "$folder/shared" "$root/$folder/shared"
`;

const START = `${MAKE_OS_ROOT}exec chroot "$root" /usr/bin/containerd --config "$folder/shared/config.toml"`;

/** startOsContainerd needs root. @param registries addresses that are asked without TLS */
export async function startOsContainerd(tree: string, registries: readonly string[]): Promise<OsContainerd> {
  const base = await mkdtemp(join(tmpdir(), 'plinth-os-'));
  const folder = join(base, 'shared');
  const socket = join(folder, 'containerd.sock');
  for (const host of registries) {
    await mkdir(join(folder, 'certs.d', host), { recursive: true });
    await writeFile(join(folder, 'certs.d', host, 'hosts.toml'), `server = "http://${host}"\n`);
  }
  await mkdir(folder, { recursive: true });
  const config = [
    'version = 3',
    'disabled_plugins = ["io.containerd.snapshotter.v1.blockfile"]',
    '[grpc]',
    `address = "${socket}"`,
    '[plugins."io.containerd.cri.v1.images"]',
    'snapshotter = "overlayfs"',
    '[plugins."io.containerd.cri.v1.images".registry]',
    `config_path = "${join(folder, 'certs.d')}"`,
    '',
  ];
  await writeFile(join(folder, 'config.toml'), config.join('\n'));
  const daemon: ChildProcess = spawn(
    'unshare',
    ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', START, 'sh', tree, base],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [daemon.stdout, daemon.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log = `${log}${chunk}`.slice(-64 * 1024);
    });
  const cri = openCri(socket);
  const own = openOwnContainers({ cri, socket, systemdCgroup: false, limits: false, selinux: false });
  const signatures = openSignatures(socket, join(folder, 'certs.d'));
  const dispose = async () => {
    signatures.close();
    own.close();
    cri.close();
    await endProcess(daemon);
    await rm(base, { recursive: true, force: true });
  };
  try {
    await eventually(() => assertAnswers(cri, () => log), {
      everyMs: 200,
      isHopeless: () => daemon.exitCode !== null,
    });
  } catch (reason) {
    await dispose();
    throw reason;
  }
  return { cri, own, signatures, folder, log: () => log, [Symbol.asyncDispose]: dispose };
}

async function assertAnswers(cri: CriClient, log: () => string): Promise<void> {
  try {
    await cri.images();
  } catch (reason) {
    throw new Error(`containerd does not answer: ${log()}`, { cause: reason });
  }
}
