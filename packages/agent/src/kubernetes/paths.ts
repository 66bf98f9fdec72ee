import { SYSTEM_STATE } from '../sys/state-folder.ts';

/** Names in plinthd's StateStore, below STATE. */
export const FOLDER = 'kubernetes';
/** Where the store of plinthd lies on the node. */
export const STATE = `${SYSTEM_STATE}/${FOLDER}`;
/** Settings of kubeadm for the act that runs. */
export const KUBEADM_CONFIG = `${FOLDER}/kubeadm.yaml`;
export const PATCHES = `${STATE}/patches`;
export const API_SERVER_FILES = `${STATE}/api-server`;
export const AUDIT_LOG = '/var/log/kubernetes';
/** Where the layers that were sent to the node lie. */
export const STAGED_LAYERS = `${SYSTEM_STATE}/layers`;
/** Where systemd-sysext looks for extensions that stay (systemd-sysext(8)). */
export const EXTENSIONS = '/var/lib/extensions';
/** What the layer brings. */
export const LAYER_SHARE = '/usr/share/plinth/kubernetes';
export const EXTENSION_RELEASE = '/usr/lib/extension-release.d/extension-release.kubernetes';
/** /etc/kubernetes is a link to a folder of /var; see os/tmpfiles.d. */
export const CLUSTER_AUTHORITY = '/etc/kubernetes/pki/ca.crt';
export const CRI_SOCKET = 'unix:///run/containerd/containerd.sock';
/** The balancer of plinthd for API servers; every part of the node reaches the API servers through it. */
export const LOCAL_API = { host: '127.0.0.1', port: 7445 } as const;
/** Where an API server listens. */
export const API_SERVER_PORT = 6443;
