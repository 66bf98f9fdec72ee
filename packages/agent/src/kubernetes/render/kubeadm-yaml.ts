import { randomInt } from 'node:crypto';
import { stringify } from 'yaml';
import type { NodeRole } from '../cluster-spec.ts';
import { API_SERVER_PORT, CRI_SOCKET, LOCAL_API, PATCHES } from '../paths.ts';
import { UNTESTED_TAINT } from '../self-test/self-test-pod.ts';
import type { NodeSettings } from '../settings.ts';
import { args, CERTIFICATES, clusterConfiguration, KUBEADM_API } from './cluster-config.ts';
import { kubeletConfiguration } from './kubelet-config.ts';

/** Preflight checks of kubeadm that cannot tell anything here, each with its reason. */
export const ignoredChecks: readonly { readonly name: string; readonly reason: string }[] = [
  {
    name: 'SystemVerification',
    reason:
      "it reads the kernel's configuration from /boot, which the image has not; the image policy looks at it",
  },
  {
    name: 'FileExisting-cp',
    reason:
      'the image has no cp; kubeadm would copy the database of etcd with it, which Plinth leaves to itself',
  },
];

/** More of them in an upgrade. */
const ignoredInUpgrades: typeof ignoredChecks = [
  { name: 'CreateJob', reason: 'its pod wants an image of a registry; plinthd waits for the node itself' },
  { name: 'CoreDNSMigration', reason: "DNS is Plinth's own add-on, with a version kubeadm does not know" },
  { name: 'CoreDNSUnsupportedPlugins', reason: "DNS is Plinth's own add-on, with plugins of its own" },
];

/** How long parts of the control plane may take: an emulated machine needs minutes for what takes seconds elsewhere. */
const timeouts = {
  controlPlaneComponentHealthCheck: '15m0s',
  discovery: '15m0s',
  etcdAPICall: '15m0s',
  kubeletHealthCheck: '15m0s',
  kubernetesAPICall: '15m0s',
  tlsBootstrap: '15m0s',
  upgradeManifests: '15m0s',
};

/** How long the token that kubeadm insists on may live. Its group has no rights, so nobody can join with it. */
const UNUSED_TOKEN = { ttl: '1m0s', groups: ['system:bootstrappers:plinth:unused'] };

/** renderInit is the configuration of `kubeadm init` on the first control plane. */
export function renderInit(settings: NodeSettings): string {
  return documents(
    {
      apiVersion: KUBEADM_API,
      kind: 'InitConfiguration',
      bootstrapTokens: [{ token: unusedToken(), usages: ['signing', 'authentication'], ...UNUSED_TOKEN }],
      localAPIEndpoint: { advertiseAddress: settings.nodeAddress, bindPort: API_SERVER_PORT },
      nodeRegistration: nodeRegistration(settings, 'control-plane'),
      patches: { directory: PATCHES },
      // The add-ons are Plinth's own; the join command holds a token and would end in the journal.
      skipPhases: ['addon', 'show-join-command'],
      timeouts,
    },
    clusterConfiguration(settings),
    kubeletConfiguration(settings.cluster),
  );
}

/** What a join needs besides the node's settings. */
export interface JoinSecrets {
  readonly role: NodeRole;
  readonly token: string;
  readonly caKeyHash: string;
  /** For control planes only. */
  readonly certificateKey: string;
}

/** renderJoin is the configuration of `kubeadm join`. It holds the token: the file goes away after the join. */
export function renderJoin(settings: NodeSettings, secrets: JoinSecrets): string {
  return documents({
    apiVersion: KUBEADM_API,
    kind: 'JoinConfiguration',
    caCertPath: `${CERTIFICATES}/ca.crt`,
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: `${LOCAL_API.host}:${LOCAL_API.port}`,
        token: secrets.token,
        caCertHashes: [secrets.caKeyHash],
      },
    },
    nodeRegistration: nodeRegistration(settings, secrets.role),
    ...(secrets.role === 'control-plane' && {
      controlPlane: {
        localAPIEndpoint: { advertiseAddress: settings.nodeAddress, bindPort: API_SERVER_PORT },
        certificateKey: secrets.certificateKey,
      },
    }),
    patches: { directory: PATCHES },
    timeouts,
  });
}

/** renderUpgrade is the configuration of `kubeadm upgrade apply` (first node of a version) and `upgrade node`. */
export function renderUpgrade({ version }: Pick<NodeSettings, 'version'>): string {
  const common = {
    imagePullPolicy: 'Never',
    patches: { directory: PATCHES },
    ignorePreflightErrors: [...ignoredChecks, ...ignoredInUpgrades].map(({ name }) => name),
    skipPhases: ['addon'],
    certificateRenewal: true,
    // kubeadm would move etcd first, and from a newer etcd there is no way back; plinthd moves it last.
    etcdUpgrade: false,
  };
  return documents({
    apiVersion: KUBEADM_API,
    kind: 'UpgradeConfiguration',
    apply: { kubernetesVersion: `v${version}`, ...common },
    node: common,
    timeouts,
  });
}

/** As kubeadm sets it by itself, when it is not told which taints to set. */
const CONTROL_PLANE_TAINT = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };

function nodeRegistration({ nodeName, nodeAddress, cluster }: NodeSettings, role: NodeRole): object {
  const takesWorkloads = cluster.controlPlanesTakeWorkloads;
  return {
    name: nodeName,
    criSocket: CRI_SOCKET,
    imagePullPolicy: 'Never',
    ignorePreflightErrors: ignoredChecks.map(({ name }) => name),
    kubeletExtraArgs: args({ 'node-ip': nodeAddress }),
    // No workloads before the self-test has passed; then only where they belong.
    taints: [UNTESTED_TAINT, ...(role === 'control-plane' && !takesWorkloads ? [CONTROL_PLANE_TAINT] : [])],
  };
}

function unusedToken(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const text = (length: number) =>
    Array.from({ length }, () => letters[randomInt(letters.length)] ?? 'a').join('');
  return `${text(6)}.${text(16)}`;
}

function documents(...parts: readonly object[]): string {
  return parts.map((part) => stringify(part)).join('---\n');
}
