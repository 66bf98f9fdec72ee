import type { ClusterSpec } from '../cluster-spec.ts';
import { API_SERVER_FILES, AUDIT_LOG, LOCAL_API } from '../paths.ts';
import type { NodeSettings } from '../settings.ts';
import { VOLUME_PLUGINS } from './kubelet-config.ts';
import { TLS_CIPHERS, TLS_MINIMUM } from './tls.ts';

/** kubeadm's API (kubeadm.k8s.io); both minors of Plinth know it. */
export const KUBEADM_API = 'kubeadm.k8s.io/v1beta4';
export const CERTIFICATES = '/etc/kubernetes/pki';

/** clusterConfiguration is what all control planes share; kubeadm keeps it in the cluster. */
export function clusterConfiguration({ cluster, version, nodeAddress }: NodeSettings): object {
  return {
    apiVersion: KUBEADM_API,
    kind: 'ClusterConfiguration',
    clusterName: cluster.name,
    kubernetesVersion: `v${version}`,
    // Every node reaches the API servers through the balancer of its own plinthd: no address has to outlive a node.
    controlPlaneEndpoint: `${LOCAL_API.host}:${LOCAL_API.port}`,
    certificatesDir: CERTIFICATES,
    // Nobody answers under this name: an image that is not of the layer cannot be pulled by mistake.
    imageRepository: 'plinth.local',
    encryptionAlgorithm: 'ECDSA-P256',
    networking: {
      podSubnet: cluster.podNetwork,
      serviceSubnet: cluster.serviceNetwork,
      dnsDomain: cluster.dnsDomain,
    },
    etcd: {
      local: {
        dataDir: '/var/lib/etcd',
        extraArgs: args({
          'auto-compaction-mode': 'periodic',
          'auto-compaction-retention': '1h',
          'tls-min-version': 'TLS1.2',
          ...etcdPatience,
        }),
      },
    },
    apiServer: apiServer(cluster, nodeAddress),
    controllerManager: {
      extraArgs: args({
        profiling: 'false',
        'bind-address': '127.0.0.1',
        'cluster-signing-duration': '2160h0m0s',
        'flex-volume-plugin-dir': VOLUME_PLUGINS,
        'terminated-pod-gc-threshold': '1000',
        ...leaderPatience,
        ...tls,
      }),
    },
    scheduler: {
      extraArgs: args({ profiling: 'false', 'bind-address': '127.0.0.1', ...leaderPatience, ...tls }),
    },
  };
}

const tls = { 'tls-min-version': TLS_MINIMUM, 'tls-cipher-suites': TLS_CIPHERS.join(',') };

/**
 * A disk or processor that stalls for seconds must not cost the cluster its leaders: upstream's 10 s end the controller
 * manager on a busy machine, and every restart makes it busier. The price is that another takes over up to a minute later.
 */
const leaderPatience = {
  'leader-elect-lease-duration': '60s',
  'leader-elect-renew-deadline': '45s',
  'leader-elect-retry-period': '10s',
};

/** For the same reason, in milliseconds (etcd's tuning guide: an election takes ten heartbeats). */
const etcdPatience = { 'heartbeat-interval': '500', 'election-timeout': '5000' };

function apiServer({ apiServerNames }: ClusterSpec, nodeAddress: string): object {
  const file = (name: string) => `${API_SERVER_FILES}/${name}`;
  return {
    certSANs: [...new Set(['127.0.0.1', 'localhost', nodeAddress, ...apiServerNames])],
    extraArgs: args({
      'admission-control-config-file': file('admission.yaml'),
      'audit-policy-file': file('audit-policy.yaml'),
      'audit-log-path': `${AUDIT_LOG}/audit.log`,
      'audit-log-maxage': '30',
      // CIS 1.2.18 and 1.2.19; 1.1 GB at most, which fits the smallest disk a control plane has.
      'audit-log-maxbackup': '10',
      'audit-log-maxsize': '100',
      'authentication-config': file('authentication.yaml'),
      'encryption-provider-config': file('encryption.yaml'),
      'kubelet-certificate-authority': `${CERTIFICATES}/ca.crt`,
      profiling: 'false',
      'service-account-extend-token-expiration': 'false',
      ...tls,
    }),
    extraVolumes: [
      { name: 'plinth-api-server', ...sameFolder(API_SERVER_FILES), readOnly: true, pathType: 'Directory' },
      { name: 'plinth-audit', ...sameFolder(AUDIT_LOG), readOnly: false, pathType: 'DirectoryOrCreate' },
    ],
  };
}

function sameFolder(path: string): { hostPath: string; mountPath: string } {
  return { hostPath: path, mountPath: path };
}

/** Arguments in kubeadm's form. */
export function args(values: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
