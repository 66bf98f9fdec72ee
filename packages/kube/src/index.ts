export type { ClusterAccess } from './access.ts';
export { applyObject, deleteObject, type KindMap, openKindMap } from './apply.ts';
export {
  type ConnectionOptions,
  type KubeAnswer,
  type KubeConnection,
  type KubeRequest,
  openKubeConnection,
} from './connection.ts';
export { readClusterAccess } from './kubeconfig.ts';
export { type KubePage, type ListOptions, listPages } from './list-pages.ts';
export { readPodAccess } from './pod-access.ts';
export { askKube, type KubeStatus, parseStatus, statusError } from './status.ts';
