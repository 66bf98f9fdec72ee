import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, run, writeFileAtomic } from '@plinth/host';
import { type BuiltGoComponent, type BuiltLayer, type OsSpec, writeOciArchive } from '@plinth/image';
import type { Toolbox } from '@plinth/toolbox';
import { REPOSITORY_OS_DIR } from './build-plinth.ts';
import type { MkosiImage } from './mkosi.ts';
import { plainImage } from './mkosi-images.ts';
import { unpackLayer } from './unpack-layer.ts';

/** What the machine prints on its console when it is that far. */
export const KUBEADM_SAYS = {
  containerd: 'bench: containerd answers',
  images: 'bench: images are there',
  initialised: 'bench: kubeadm init is done',
  addons: 'bench: add-ons are applied',
} as const;

/** Address QEMU gives a machine. */
export const MACHINE_ADDRESS = '10.0.2.15';
const SHARE = 'usr/share/plinth/kubernetes';
const BENCH = 'etc/bench';
const POD_NETWORK = '10.244.0.0/16';
const KUBE_IMAGE = 'plinth.local/kube:bench';
const PARTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
/** Changes when the files made here do. */
const FORMAT = 'kubeadm 1';

export interface KubeadmImageInputs {
  readonly spec: OsSpec;
  readonly keysDir: string;
  readonly layer: BuiltLayer;
  readonly containerd: BuiltGoComponent;
  readonly toolbox: Toolbox;
  /** Kept between runs. */
  readonly folder: string;
}

/** A plain machine that sets itself up with kubeadm. */
export interface KubeadmImage {
  readonly image: MkosiImage;
  /** kubeconfig of its administrator; the server in it is not where it is reached. */
  readonly adminConf: string;
}

/**
 * kubeadmImage is the plain Debian with the programs of Plinth's layer and image: a service runs the usual steps at the
 * first boot. Its control plane runs from an image, as is usual; one for all parts, so that it is unpacked once.
 */
export async function kubeadmImage(inputs: KubeadmImageInputs): Promise<KubeadmImage> {
  const { folder, layer, containerd } = inputs;
  const key = [FORMAT, layer.rootHash, containerd.key].join(' ');
  const stamp = join(folder, 'extra.key');
  const extra = join(folder, 'extra');
  if (!(await exists(stamp)) || (await readFile(stamp, 'utf8')) !== key) {
    await rm(extra, { recursive: true, force: true });
    await makeTree(inputs, extra);
    await writeFileAtomic(stamp, key);
  }
  const plain = await plainImage(inputs.spec, inputs.keysDir);
  const config = (plain.files['mkosi.conf'] ?? '')
    // Debian's containerd is not the one Plinth has; crun is.
    .replace(/^ {4}(containerd|runc)\n/gm, '')
    .replace('Packages=\n', `Packages=\n${PACKAGES.map((name) => `    ${name}\n`).join('')}`)
    .replace('[Content]\n', `[Content]\n# ${key}\nExtraTrees=/bench-extra:/\n`);
  const { 'mkosi.extra/etc/systemd/system/bench-ready.service': _, ...files } = plain.files;
  return {
    adminConf: join(folder, 'extra-conf/super-admin.conf'),
    image: {
      name: 'kubeadm',
      binds: [...plain.binds, { host: extra, inside: '/bench-extra', readOnly: true }],
      files: {
        ...files,
        'mkosi.conf': config,
        'bench.postinst.chroot': (files['bench.postinst.chroot'] ?? '').replace(
          'bench-ready',
          'containerd kubelet bench-kubeadm',
        ),
        // Links of pods are not the machine's.
        'mkosi.extra/etc/systemd/network/80-dhcp.network':
          '[Match]\nType=ether\nKind=!*\n[Network]\nDHCP=yes\n',
        'mkosi.repart/20-root.conf': (files['mkosi.repart/20-root.conf'] ?? '').replaceAll('=3G', '=5G'),
      },
    },
  };
}

/** What kubeadm's documentation asks of a machine, as far as it is not there already. */
const PACKAGES = ['crun', 'nftables', 'conntrack', 'ethtool', 'iptables'];

async function makeTree(inputs: KubeadmImageInputs, extra: string): Promise<void> {
  const { layer, containerd, toolbox, folder } = inputs;
  const unpacked = join(folder, 'layer');
  await rm(unpacked, { recursive: true, force: true });
  await unpackLayer(toolbox, layer.path, unpacked);
  const root = join(unpacked, 'root');
  const place = async (from: string, to: string) => {
    await mkdir(dirname(join(extra, to)), { recursive: true });
    await cp(from, join(extra, to), { recursive: true, verbatimSymlinks: true });
  };
  await place(join(root, 'usr/bin'), 'usr/bin');
  // Plinth's stand-in for cp; Debian has its own.
  await rm(join(extra, 'usr/bin/cp'), { force: true });
  await place(join(root, 'usr/libexec/cni'), 'usr/libexec/cni');
  await place(join(root, SHARE, 'images'), `${SHARE}/images`);
  await place(join(root, 'usr/lib/systemd/system/kubelet.service'), 'etc/systemd/system/kubelet.service');
  for (const [name, path] of containerd.programs) {
    await copyFile(path, join(extra, 'usr/bin', name));
    await chmod(join(extra, 'usr/bin', name), 0o755);
  }
  await place(join(REPOSITORY_OS_DIR, 'units/containerd.service'), 'etc/systemd/system/containerd.service');
  await place(join(REPOSITORY_OS_DIR, 'etc/containerd/config.toml'), 'etc/containerd/config.toml');
  const kube = await readFile(join(root, 'usr/bin/plinth-kube'));
  await writeFile(join(extra, SHARE, 'images/kube.tar'), kubeImage(kube));
  await writeTexts(extra, await settings(root, layer));
  await writeAuthority(extra, join(folder, 'extra-conf'), layer.manifest.kubernetes);
}

/** One image with every part of the control plane. */
function kubeImage(program: Uint8Array): Uint8Array {
  const folders = ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr', 'usr/bin', 'var'];
  return writeOciArchive({
    reference: KUBE_IMAGE,
    epochSeconds: 0,
    entrypoint: ['/usr/bin/kube-apiserver'],
    entries: [
      ...folders.map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
      { kind: 'file', path: 'usr/bin/plinth-kube', mode: 0o755, data: program },
      ...PARTS.map((name) => ({ kind: 'symlink', path: `usr/bin/${name}`, target: 'plinth-kube' }) as const),
    ],
  }).bytes;
}

/** Settings as the guides for kubeadm give them: what Plinth hardens beyond that costs only Plinth time. */
async function settings(root: string, { manifest }: BuiltLayer): Promise<Readonly<Record<string, string>>> {
  const kubeadm = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: MACHINE_ADDRESS, bindPort: 6443 },
      nodeRegistration: {
        name: 'plain',
        criSocket: 'unix:///run/containerd/containerd.sock',
        imagePullPolicy: 'Never',
        taints: [],
        ignorePreflightErrors: ['all'],
      },
      patches: { directory: `/${BENCH}/patches` },
      skipPhases: ['addon', 'show-join-command'],
      timeouts: {
        controlPlaneComponentHealthCheck: '15m0s',
        kubeletHealthCheck: '15m0s',
        kubernetesAPICall: '5m0s',
      },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: `v${manifest.kubernetes}`,
      imageRepository: 'plinth.local',
      encryptionAlgorithm: 'ECDSA-P256',
      networking: { podSubnet: POD_NETWORK, serviceSubnet: '10.96.0.0/16' },
      apiServer: { certSANs: ['127.0.0.1', MACHINE_ADDRESS] },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: 'systemd',
    },
  ];
  const patches = PARTS.map((name): [string, string] => [
    `${BENCH}/patches/${name}+strategic.json`,
    JSON.stringify({
      spec: {
        containers: [
          { name, image: KUBE_IMAGE, imagePullPolicy: 'Never', env: [{ name: 'PATH', value: '/usr/bin' }] },
        ],
      },
    }),
  ]);
  const template = await readFile(join(root, SHARE, 'cni.conflist.template'), 'utf8');
  return {
    ...Object.fromEntries(patches),
    ...(await addons(root)),
    [`${BENCH}/kubeadm.yaml`]: kubeadm.map((part) => JSON.stringify(part)).join('\n---\n'),
    [`${BENCH}/setup`]: setup(),
    'etc/modules-load.d/kubernetes.conf': 'overlay\nbr_netfilter\n',
    'etc/sysctl.d/kubernetes.conf':
      'net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward = 1\n',
    'var/lib/plinth/kubernetes/cni.conflist.template': template.replace(/\$\{podMtu\}/, '1450'),
    'etc/systemd/system/bench-kubeadm.service': [
      '[Unit]',
      'After=containerd.service network-online.target',
      'Wants=network-online.target',
      'ConditionPathExists=!/etc/kubernetes/admin.conf',
      '[Service]',
      'Type=oneshot',
      'Environment=HOME=/root',
      'TimeoutStartSec=40min',
      `ExecStart=/bin/sh /${BENCH}/setup`,
      'StandardOutput=journal+console',
      '[Install]',
      'WantedBy=multi-user.target',
      '',
    ].join('\n'),
  };
}

function setup(): string {
  return [
    'set -e',
    `say() { echo "$1" >/dev/console; }`,
    `say '${KUBEADM_SAYS.containerd}'`,
    `/usr/bin/plinth-images /${SHARE}/images`,
    `say '${KUBEADM_SAYS.images}'`,
    `kubeadm init --skip-token-print --config /${BENCH}/kubeadm.yaml`,
    `say '${KUBEADM_SAYS.initialised}'`,
    // Just after its start an API server may still refuse.
    `until kubectl --kubeconfig /etc/kubernetes/admin.conf apply --server-side -f /${BENCH}/addons; do sleep 2; done`,
    `say '${KUBEADM_SAYS.addons}'`,
    '',
  ].join('\n');
}

/** The layer's own add-ons, led to the machine's API server: there is no plinthd to balance. */
async function addons(root: string): Promise<Record<string, string>> {
  const values: Readonly<Record<string, string>> = {
    clusterDomain: 'cluster.local',
    dnsAddress: '10.96.0.10',
    podNetwork: POD_NETWORK,
    apiServerHost: MACHINE_ADDRESS,
    apiServerPort: '6443',
  };
  const folder = join(root, SHARE, 'manifests');
  const files = await Promise.all(
    (await readdir(folder)).map(async (name): Promise<[string, string]> => {
      const text = await readFile(join(folder, name), 'utf8');
      return [
        `${BENCH}/addons/${name}`,
        text.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => values[key] ?? ''),
      ];
    }),
  );
  return Object.fromEntries(files);
}

/** An authority made beforehand, which kubeadm takes, so that this computer can look at the cluster from the start. */
async function writeAuthority(extra: string, conf: string, version: string): Promise<void> {
  const directory = join(extra, 'etc/kubernetes/pki');
  const config = join(conf, 'kubeadm.yaml');
  await rm(conf, { recursive: true, force: true });
  await mkdir(conf, { recursive: true });
  await writeFile(
    config,
    [
      '{"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "InitConfiguration",',
      `"localAPIEndpoint": {"advertiseAddress": "${MACHINE_ADDRESS}"},`,
      '"nodeRegistration": {"name": "plain", "criSocket": "unix:///run/none.sock"}}',
      '---',
      `{"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration", "kubernetesVersion": "v${version}",`,
      `"encryptionAlgorithm": "ECDSA-P256", "certificatesDir": "${directory}"}`,
      '',
    ].join('\n'),
  );
  const kubeadm = (...args: string[]) =>
    run(join(extra, 'usr/bin/kubeadm'), ['init', 'phase', ...args, `--config=${config}`], {
      env: { HOME: conf, PATH: '' },
    });
  await kubeadm('certs', 'ca');
  await kubeadm('kubeconfig', 'super-admin', `--kubeconfig-dir=${conf}`);
}

async function writeTexts(extra: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(extra, path)), { recursive: true });
    await writeFile(join(extra, path), text);
  }
}
