import { type ClusterSpec, dnsAddressOf } from '../cluster-spec.ts';
import { TLS_CIPHERS, TLS_MINIMUM } from './tls.ts';

/** Where drivers of flexible volumes would lie; kubeadm's default is below the read-only /usr. */
export const VOLUME_PLUGINS = '/var/lib/kubelet/volume-plugins';

/**
 * kubeletConfiguration is the kubelet's configuration (kubelet.config.k8s.io/v1beta1), by the CIS Kubernetes Benchmark.
 * It is the same on every node: kubeadm keeps it in the cluster for those that join.
 */
export function kubeletConfiguration(cluster: ClusterSpec): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Who may ask the kubelet: clients the API server knows, and each question is asked back.
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    readOnlyPort: 0,
    enableServer: true,
    // Client and serving certificates come from the cluster's authority and are renewed.
    rotateCertificates: true,
    serverTLSBootstrap: true,
    tlsMinVersion: TLS_MINIMUM,
    tlsCipherSuites: [...TLS_CIPHERS],
    // The settings are those of os/sysctl.d; the kubelet shall say so when they are not, and change nothing.
    protectKernelDefaults: true,
    makeIPTablesUtilChains: true,
    seccompDefault: true,
    podPidsLimit: 4096,
    eventRecordQPS: 50,
    streamingConnectionIdleTimeout: '5m0s',
    cgroupDriver: 'systemd',
    failSwapOn: true,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    resolvConf: '/run/systemd/resolve/resolv.conf',
    clusterDNS: [dnsAddressOf(cluster)],
    clusterDomain: cluster.dnsDomain,
    volumePluginDir: VOLUME_PLUGINS,
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 5,
    // Pods end in order before the machine goes down.
    shutdownGracePeriod: '60s',
    shutdownGracePeriodCriticalPods: '20s',
  };
}
