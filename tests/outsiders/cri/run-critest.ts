import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAKE_OS_ROOT } from '@plinth/agent/testing';
import { run } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { readSpecs, type SpecResult } from '../ginkgo-report.ts';
import { writeImages } from './write-images.ts';

/** What the validation runs in. */
export interface CriNode {
  /** Roots of the Kubernetes layer and of the system. */
  readonly trees: readonly string[];
  /** critest.test. */
  readonly critest: string;
  /** The toolbox of os/outsiders.yaml. */
  readonly toolbox: Toolbox;
}

const REGISTRY_PORT = 5000;
const repository = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The node: containerd and crun of the built system, with its own configuration and the pod network of its layer, in
 * namespaces of their own, where nothing of this machine's network is reached or changed. In it, the registry and critest.
 * There is no service manager and no SELinux policy, so cgroups are the runtime's own. The suite has bounds of seconds that a
 * machine with other work may miss, so what fails is tried again; what is wrong fails each time.
 */
const NODE = `${MAKE_OS_ROOT}
node="$3"
program="$4"
skip="$5"
shared="$folder/shared"
busybox="$shared/busybox"
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
  # This machine has its controllers in hierarchies of version 1; on a node all are in the one of version 2. crun takes
  # either, not both.
  umount "$root/sys/fs/cgroup"
  mount -t tmpfs none "$root/sys/fs/cgroup"
  for controller in /sys/fs/cgroup/*; do
    [ "$controller" != /sys/fs/cgroup/unified ] || continue
    mkdir "$root$controller"
    mount --bind "$controller" "$root$controller"
  done
fi
mkdir -p "$root/etc/cni/net.d" "$root/etc/containerd/certs.d/_default" "$root/run/machine"
cp "$shared/config.toml" "$root/etc/containerd/config.toml"
cp "$shared/plinth.conflist" "$root/etc/cni/net.d/"
cp "$shared/hosts.toml" "$root/etc/containerd/certs.d/_default/"
"$busybox" ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
unshare --mount "$node" "$program" "$shared/images" ${REGISTRY_PORT} &
tries=0
until "$busybox" wget -q -O /dev/null http://127.0.0.1:${REGISTRY_PORT}/v2/; do
  tries=$((tries + 1))
  if [ $tries -gt 600 ]; then echo "the registry does not answer" >&2; exit 70; fi
  sleep 0.2
done
# What enters a container's mount namespace later starts at the root of that namespace, so this one gets the node's: a
# changed root of the process alone would lead each exec to the machine's files.
cd "$root"
pivot_root . run/machine
umount -l /run/machine
mount --make-rshared /
/usr/bin/containerd > "$shared/containerd.log" 2>&1 &
tries=0
until plinth-images /usr/share/plinth/kubernetes/images > "$shared/import.log" 2>&1; do
  tries=$((tries + 1))
  if [ $tries -gt 300 ]; then "$busybox" cat "$shared/import.log" "$shared/containerd.log" >&2; exit 70; fi
  "$busybox" sleep 0.2
done
"$busybox" ln -s "$busybox" "$shared/sleep"
PATH="$PATH:$shared" "$shared/critest" --runtime-endpoint=unix:///run/containerd/containerd.sock \\
  --ginkgo.json-report="$shared/report.json" --ginkgo.seed=1 --ginkgo.no-color --ginkgo.succinct \\
  --ginkgo.flake-attempts=3 --ginkgo.skip="$skip" > "$shared/critest.log" 2>&1 || true
"$busybox" find /sys/fs/cgroup -depth -type d -path "*/k8s.io*" -exec "$busybox" rmdir {} \\; || true
`;

/**
 * runCritest runs the whole validation, but for the specs whose names match `skip`. Needs root.
 * @param skip a regular expression of Go @param timeoutMs bound of the whole run
 */
export async function runCritest(
  { trees, critest, toolbox }: CriNode,
  skip: string,
  timeoutMs: number,
): Promise<{ readonly specs: readonly SpecResult[]; readonly log: string }> {
  const base = await mkdtemp(join(tmpdir(), 'plinth-critest-'));
  const shared = join(base, 'shared');
  try {
    await mkdir(shared);
    await writeImages(toolbox, join(shared, 'images'));
    for (const [name, source] of [
      ['critest', critest],
      ['busybox', join(toolbox.root, 'usr/bin/busybox')],
    ] as const) {
      await copyFile(source, join(shared, name));
      await chmod(join(shared, name), 0o755);
    }
    await writeFile(join(shared, 'config.toml'), await containerdConfig());
    await writeFile(join(shared, 'plinth.conflist'), await podNetwork());
    const host = `http://127.0.0.1:${REGISTRY_PORT}`;
    await writeFile(
      join(shared, 'hosts.toml'),
      `server = "${host}"\n[host."${host}"]\ncapabilities = ["pull", "resolve"]\n`,
    );
    const program = fileURLToPath(new URL('serve-images.ts', import.meta.url));
    await run(
      'unshare',
      [
        ...['--mount', '--net', '--ipc', '--pid', '--fork', '--kill-child', 'sh', '-c', NODE, 'sh'],
        ...[trees.join(':'), base, process.execPath, program, skip],
      ],
      { timeoutMs },
    );
    const read = (name: string) => readFile(join(shared, name), 'utf8').catch(() => '');
    const log = `${await read('critest.log')}\n${(await read('containerd.log')).slice(-20_000)}`;
    return { specs: readSpecs(await readFile(join(shared, 'report.json'), 'utf8')), log };
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** The node's own settings, but for what needs a service manager, an SELinux policy or a cluster. */
async function containerdConfig(): Promise<string> {
  const text = await readFile(join(repository, 'os/etc/containerd/config.toml'), 'utf8');
  return replaceAll(text, [
    ['SystemdCgroup = true', 'SystemdCgroup = false'],
    // A machine may keep its root from lowering a score.
    ['enable_selinux = true', 'enable_selinux = false\n  restrict_oom_score_adj = true'],
    [/conf_template = .*/, ''],
  ]);
}

/** The network of the layer, as containerd fills it in when the node is told its pod addresses. */
async function podNetwork(): Promise<string> {
  const path = 'os/kubernetes/tree/usr/share/plinth/kubernetes/cni.conflist.template';
  return replaceAll(await readFile(join(repository, path), 'utf8'), [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own
    ['${podMtu}', '1500'],
    [/"ranges": .*/, '"ranges": [[{"subnet": "10.244.0.0/24"}]],'],
    [/"routes": .*/, '"routes": [{"dst": "0.0.0.0/0"}]'],
  ]);
}

function replaceAll(text: string, changes: readonly (readonly [string | RegExp, string])[]): string {
  return changes.reduce((changed, [from, to]) => {
    const after = changed.replace(from, () => to);
    if (after === changed) throw new Error(`Cannot find ${from} in what the node is set up by`);
    return after;
  }, text);
}
