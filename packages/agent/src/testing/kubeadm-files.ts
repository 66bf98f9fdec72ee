import { completeClusterSpec } from '../kubernetes/cluster-spec.ts';
import { addons } from '../kubernetes/render/addons.ts';
import { apiServerFiles, newEncryptionConfig } from '../kubernetes/render/api-server-files.ts';
import { renderInit, renderJoin, renderUpgrade } from '../kubernetes/render/kubeadm-yaml.ts';
import { controlPlanePatches } from '../kubernetes/render/patches.ts';

/** What plinthd would write on a node, for tests with the real kubeadm. */
export interface KubeadmFiles {
  /** Configurations of kubeadm by what they are for. */
  readonly configs: Readonly<Record<'init' | 'join-control-plane' | 'join-worker' | 'upgrade', string>>;
  /** Other files by their name in plinthd's store. */
  readonly files: readonly (readonly [name: string, content: string])[];
}

/** renderKubeadmFiles renders everything for a control plane of a new cluster. */
export function renderKubeadmFiles(options: {
  readonly version: string;
  readonly nodeAddress: string;
  readonly pauseImage: string;
  /** The layer's manifests by file name. */
  readonly manifests: ReadonlyMap<string, string>;
}): KubeadmFiles {
  const { version, nodeAddress, pauseImage, manifests } = options;
  const cluster = completeClusterSpec({
    name: 'demo',
    podNetwork: '',
    serviceNetwork: '',
    dnsDomain: '',
    controlPlanesTakeWorkloads: true,
    apiServerNames: ['api.example.com'],
  });
  const settings = { nodeName: 'node-1', nodeAddress, version, cluster };
  const join = (role: 'control-plane' | 'worker') =>
    renderJoin(settings, {
      role,
      token: 'abcdef.0123456789abcdef',
      caKeyHash: `sha256:${'ab'.repeat(32)}`,
      certificateKey: '12'.repeat(32),
    });
  return {
    configs: {
      init: renderInit(settings),
      'join-control-plane': join('control-plane'),
      'join-worker': join('worker'),
      upgrade: renderUpgrade(settings),
    },
    files: [
      ...apiServerFiles(),
      ...controlPlanePatches({ version, pauseImage }),
      ...addons(cluster, { manifests }),
      ['kubernetes/api-server/encryption.yaml', newEncryptionConfig()],
    ],
  };
}
